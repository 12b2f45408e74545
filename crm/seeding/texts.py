"""The demo's wordings, in both languages: one template an event, and a few promotions. The engine signs them."""

from dataclasses import dataclass

from messaging.enums import MessageClass

TRIGGER, NOTIFICATION, MARKETING = MessageClass.TRIGGER, MessageClass.NOTIFICATION, MessageClass.MARKETING


@dataclass(frozen=True)
class Wording:
    """One template. `event` is empty for a campaign's text; `dedupe_seconds` is its rule's."""

    key: str
    name_en: str
    name_zh_hans: str
    message_class: MessageClass
    event: str
    en: str
    zh_hans: str
    dedupe_seconds: int = 0

    @property
    def name(self) -> str:
        """For the staff of all stores, whichever of the two languages they read."""
        return f"{self.name_en} {self.name_zh_hans}"

    def by_language(self) -> tuple[tuple[str, str], ...]:
        return (("en", self.en), ("zh-hans", self.zh_hans))


WORDINGS: tuple[Wording, ...] = (
    Wording(
        "card-opened",
        "Card opened",
        "开卡",
        TRIGGER,
        "card_opened",
        "Hello {name|there}, your card {card} is open. Balance {balance}, points {points_balance}. "
        "Reply BALANCE at any time.",
        "{name|您好}，您的会员卡{card}已开通，余额{balance}，积分{points_balance}分。回复“余额”可随时查询。",
    ),
    Wording(
        "card-recharged",
        "Card recharged",
        "充值",
        TRIGGER,
        "card_recharged",
        "{amount} was added to your card {card} on {at}. Balance now {balance}: "
        "principal {principal_balance}, bonus {bonus_balance}. Questions? Call {store_phone}.",
        "您的会员卡{card}于{at}充值{amount}，当前余额{balance}（本金{principal_balance}，赠金{bonus_balance}）。"
        "如有疑问请致电{store_phone}。",
    ),
    Wording(
        "card-spent",
        "Spent",
        "消费",
        TRIGGER,
        "card_spent",
        "Bill of {amount} on {at}, {stored_value} paid from card {card}. Balance now {balance}, "
        "points {points_balance}. Not you? Call {store_phone}.",
        "您于{at}消费{amount}，会员卡{card}扣款{stored_value}，余额{balance}，积分{points_balance}分。"
        "如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "phone-change-asked",
        "Phone change asked",
        "申请变更手机号",
        TRIGGER,
        "phone_change_asked",
        "Your number is to change to {new_phone} in 24 hours. Not you? Stop it in the portal or call {store_phone}.",
        "您的会员手机号将在24小时后变更为{new_phone}。如非本人操作，请在会员中心停止或致电{store_phone}。",
    ),
    Wording(
        "phone-changed",
        "Phone changed",
        "手机号已变更",
        TRIGGER,
        "phone_changed",
        "Your card is now kept under {new_phone}. Not you? Call {store_phone}.",
        "您的会员手机号已变更为{new_phone}。如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "points-redeemed",
        "Points redeemed",
        "积分兑换",
        TRIGGER,
        "points_redeemed",
        "{points} points were used for {reward} on {at}. Points left: {points_balance}.",
        "您于{at}使用{points}积分兑换了{reward}，剩余积分{points_balance}分。",
    ),
    Wording(
        "card-refunded",
        "Refunded",
        "退款",
        TRIGGER,
        "card_refunded",
        "{amount} was refunded on {at}, {stored_value} of it to card {card}. Balance now {balance}, "
        "points {points_balance}.",
        "已于{at}为您退款{amount}，其中{stored_value}退回会员卡{card}，当前余额{balance}，积分{points_balance}分。",
    ),
    Wording(
        "points-earned",
        "Points earned",
        "获得积分",
        TRIGGER,
        "points_earned",
        "{points} points for you: {reason}. You now have {points_balance}.",
        "您获得{points}积分：{reason}。现有积分{points_balance}。",
    ),
    Wording(
        "tier-changed",
        "Tier changed",
        "等级变动",
        TRIGGER,
        "tier_changed",
        "Your tier at {store} changed on {at}: {tier|none} after {tier_before|none}.",
        "您在{store}的会员等级已于{at}变更：由{tier_before|暂无}变为{tier|暂无}。",
    ),
    Wording(
        "value-expiring",
        "Value expiring",
        "即将过期",
        TRIGGER,
        "value_expiring",
        "From your card end on {expires_on}: {amount}, {points} points, {services} services.",
        "您有{amount}、{points}积分、{services}次服务将于{expires_on}到期。",
    ),
    Wording(
        "service-taken",
        "Service taken",
        "服务核销",
        TRIGGER,
        "service_taken",
        "{count} × {service} taken on {at} from card {card}. Left on the card: {services_left}. Not "
        "you? Call {store_phone}.",
        "您的会员卡{card}于{at}使用{service}{count}次，剩余{services_left}次。如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "services-sold",
        "Services bought",
        "购买次卡",
        TRIGGER,
        "services_sold",
        "{count} × {service} for {amount} are on your card {card} since {at}. On the card now: "
        "{services_left}.",
        "您于{at}购买{service}{count}次，金额{amount}，已存入会员卡{card}，现有{services_left}次。",
    ),
    Wording(
        "service-returned",
        "Service given back",
        "服务退回",
        TRIGGER,
        "service_returned",
        "{count} × {service} went back to your card {card} on {at}. Left on the card: {services_left}.",
        "{service}{count}次已于{at}退回会员卡{card}，剩余{services_left}次。",
    ),
    Wording(
        "value-held",
        "Value held",
        "预授权",
        TRIGGER,
        "value_held",
        "{amount} on your card {card} is held until {until}. Not you? Call {store_phone}.",
        "您的会员卡{card}已预授权{amount}，有效至{until}。如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "hold-ended",
        "Hold ended",
        "预授权解除",
        TRIGGER,
        "hold_ended",
        "The hold of {amount} on your card {card} ended on {at}. Balance {balance}.",
        "您的会员卡{card}的预授权{amount}已于{at}解除，余额{balance}。",
    ),
    Wording(
        "value-sent",
        "Value sent",
        "余额转出",
        TRIGGER,
        "value_sent",
        "{amount} from your card {card} went to {to} on {at}. Balance now {balance}. Not you? Call "
        "{store_phone}.",
        "您的会员卡{card}于{at}向{to}转出{amount}，当前余额{balance}。如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "value-received",
        "Value received",
        "余额转入",
        TRIGGER,
        "value_received",
        "{amount} from {sender} arrived on your card {card} on {at}. Balance now {balance}.",
        "您的会员卡{card}于{at}收到{sender}转入的{amount}，当前余额{balance}。",
    ),
    Wording(
        "value-adjusted",
        "Adjustment",
        "余额调整",
        TRIGGER,
        "value_adjusted",
        "Your card {card} was corrected on {at}: {reason}. Balance now {balance}, points {points_balance}.",
        "您的会员卡{card}已于{at}调整：{reason}。当前余额{balance}，积分{points_balance}分。",
    ),
    Wording(
        "recharge-refunded",
        "Recharge refunded",
        "充值退款",
        TRIGGER,
        "recharge_refunded",
        "Your recharge of {amount} was returned on {at}. Balance of card {card} now {balance}.",
        "您的充值{amount}已于{at}退款，会员卡{card}当前余额{balance}。",
    ),
    Wording(
        "card-frozen",
        "Card frozen",
        "卡片冻结",
        TRIGGER,
        "card_frozen",
        "Your card {card} is frozen since {at}. Balance {balance} is safe. Questions? Call {store_phone}.",
        "您的会员卡{card}已于{at}冻结，余额{balance}不受影响。如有疑问请致电{store_phone}。",
    ),
    Wording(
        "card-unfrozen",
        "Card active again",
        "卡片解冻",
        TRIGGER,
        "card_unfrozen",
        "Your card {card} is active again since {at}. Balance {balance}.",
        "您的会员卡{card}已于{at}解冻，余额{balance}。",
    ),
    Wording(
        "card-replaced",
        "Card replaced",
        "补卡",
        TRIGGER,
        "card_replaced",
        "Your card {card} was replaced on {at} by {new_card}. Nothing on it was lost. Not you? Call "
        "{store_phone}.",
        "您的会员卡{card}已于{at}补办为{new_card}，卡内余额已全部转入。如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "card-closed",
        "Card closed",
        "销卡",
        TRIGGER,
        "card_closed",
        "Your card {card} was closed on {at}; {amount} was paid back to you. Questions? Call {store_phone}.",
        "您的会员卡{card}已于{at}注销，退还{amount}。如有疑问请致电{store_phone}。",
    ),
    Wording(
        "balance-low",
        "Balance low",
        "余额不足",
        TRIGGER,
        "balance_low",
        "The balance of your card {card} is {balance}. Questions? Call {store_phone}.",
        "您的会员卡{card}余额为{balance}。如有疑问请致电{store_phone}。",
    ),
    Wording(
        "coupon-issued",
        "Coupon issued",
        "发放优惠券",
        MARKETING,
        "coupon_issued",
        "{name|Hello}, a coupon for you at {store}: {coupon}, until {expires_on}. Code {code}.",
        "{name|您好}，送您优惠券{coupon}，券码{code}，有效期至{expires_on}。",
    ),
    Wording(
        "coupon-expiring",
        "Coupon expiring",
        "优惠券即将到期",
        MARKETING,
        "coupon_expiring",
        "{name|Hello}, your coupon {coupon}, code {code}, ends on {expires_on}.",
        "{name|您好}，您的优惠券{coupon}（券码{code}）将于{expires_on}到期。",
    ),
    Wording(
        "booking-made",
        "Booking made",
        "新预约",
        NOTIFICATION,
        "booking_made",
        "{name|Hello}, your booking is confirmed: {service}, {starts_at}. To change or cancel it, call {store_phone}.",
        "{name|您好}，您的预约已确认：{service}，{starts_at}。如需更改或取消请致电{store_phone}。",
    ),
    Wording(
        "customer-arrived",
        "Arrival",
        "到店",
        TRIGGER,
        "customer_arrived",
        "{name|Hello}, you are checked in at {store} ({place}). Reply BALANCE for your balance and points.",
        "{name|您好}，您已到达{store}（{place}），签到成功。回复“余额”可查询余额和积分。",
        dedupe_seconds=6 * 3600,
    ),
    Wording(
        "call-missed",
        "Missed call",
        "未接来电",
        TRIGGER,
        "call_missed",
        "Sorry, we missed your call at {at}. We will call you back; you can also reply to this text "
        "with what you need.",
        "您好，未能接听您{at}的来电，非常抱歉。我们会尽快回电，您也可以直接回复本短信留言。",
        dedupe_seconds=3600,
    ),
    Wording(
        "fund-moved",
        "Fund movement",
        "资金变动",
        NOTIFICATION,
        "fund_moved",
        "Account {account}: {amount} {direction} on {at}. Balance {fund_balance}. Not you? Call {store_phone}.",
        "您的账户{account}于{at}发生资金变动（{direction}）{amount}，余额{fund_balance}。如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "promotion-weekday",
        "Weekday afternoons",
        "工作日下午优惠",
        MARKETING,
        "",
        "{name|Hello}, weekday afternoons are 20% off until the end of the month. "
        "Show this text at {store}. Bookings: {store_phone}.",
        "{name|您好}，本月底前工作日下午到店消费享8折，出示本短信即可。预约电话{store_phone}。",
    ),
    Wording(
        "promotion-recharge",
        "Recharge days",
        "充值有礼",
        MARKETING,
        "",
        "{name|Hello}, this week at {store}: recharge 500 and get 80 on top, 1000 and get 200. "
        "Your balance today: {balance}.",
        "{name|您好}，本周充值有礼：充500送80，充1000送200。您目前的余额为{balance}。",
    ),
    Wording(
        "wake-up",
        "We miss you",
        "老客回访",
        MARKETING,
        "",
        "{name|Hello}, it has been {days_away|a good many} days since we saw you at {store}. "
        "You still have {balance|value on your card} and {points_balance|some} points here. "
        "Come by this month and the first drink is on us.",
        "{name|您好}，距您上次光临已有{days_away|好些}天。您的卡内还有{balance|余额}、{points_balance|若干}积分。"
        "本月到店我们请您喝一杯，期待再见。",
    ),
    Wording(
        "birthday",
        "Birthday",
        "生日祝福",
        MARKETING,
        "",
        "Happy birthday, {name|dear guest}! We have a small gift for you at {store}: "
        "show this text within seven days.",
        "{name|您好}，祝您生日快乐！七日内到店出示本短信，可领取一份生日小礼。",
    ),
)
