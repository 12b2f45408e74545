"""The demo's wordings, in both languages: one template an event, and a few promotions. The engine signs them."""

from dataclasses import dataclass

from messaging.enums import MessageClass

TRIGGER, NOTIFICATION, MARKETING = MessageClass.TRIGGER, MessageClass.NOTIFICATION, MessageClass.MARKETING


@dataclass(frozen=True)
class Wording:
    """One template. `event` is empty for a campaign's text; `dedupe_seconds` is its rule's."""

    key: str
    name: str
    message_class: MessageClass
    event: str
    en: str
    zh_hans: str
    dedupe_seconds: int = 0

    def by_language(self) -> tuple[tuple[str, str], ...]:
        return (("en", self.en), ("zh-hans", self.zh_hans))


WORDINGS: tuple[Wording, ...] = (
    Wording(
        "card-opened",
        "Card opened",
        TRIGGER,
        "card_opened",
        "Hello {name|there}, your card {card} is open. Balance {balance}, points {points_balance}. "
        "Reply BALANCE at any time.",
        "{name|您好}，您的会员卡{card}已开通，余额{balance}，积分{points_balance}分。回复“余额”可随时查询。",
    ),
    Wording(
        "card-recharged",
        "Card recharged",
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
        TRIGGER,
        "card_spent",
        "Bill of {amount} on {at}, {stored_value} paid from card {card}. Balance now {balance}, "
        "points {points_balance}. Not you? Call {store_phone}.",
        "您于{at}消费{amount}，会员卡{card}扣款{stored_value}，余额{balance}，积分{points_balance}分。"
        "如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "points-redeemed",
        "Points redeemed",
        TRIGGER,
        "points_redeemed",
        "{points} points were used for {reward} on {at}. Points left: {points_balance}.",
        "您于{at}使用{points}积分兑换了{reward}，剩余积分{points_balance}分。",
    ),
    Wording(
        "card-refunded",
        "Refunded",
        TRIGGER,
        "card_refunded",
        "{amount} was refunded on {at}, {stored_value} of it to card {card}. Balance now {balance}, "
        "points {points_balance}.",
        "已于{at}为您退款{amount}，其中{stored_value}退回会员卡{card}，当前余额{balance}，积分{points_balance}分。",
    ),
    Wording(
        "booking-made",
        "Booking made",
        NOTIFICATION,
        "booking_made",
        "{name|Hello}, your booking is confirmed: {service}, {starts_at}. To change or cancel it, call {store_phone}.",
        "{name|您好}，您的预约已确认：{service}，{starts_at}。如需更改或取消请致电{store_phone}。",
    ),
    Wording(
        "customer-arrived",
        "Arrival",
        TRIGGER,
        "customer_arrived",
        "{name|Hello}, you are checked in at {store} ({place}). Reply BALANCE for your balance and points.",
        "{name|您好}，您已到达{store}（{place}），签到成功。回复“余额”可查询余额和积分。",
        dedupe_seconds=6 * 3600,
    ),
    Wording(
        "call-missed",
        "Missed call",
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
        NOTIFICATION,
        "fund_moved",
        "Account {account}: {amount} {direction} on {at}. Balance {fund_balance}. Not you? Call {store_phone}.",
        "您的账户{account}于{at}发生资金变动（{direction}）{amount}，余额{fund_balance}。如非本人操作请致电{store_phone}。",
    ),
    Wording(
        "promotion-weekday",
        "Weekday afternoons",
        MARKETING,
        "",
        "{name|Hello}, weekday afternoons are 20% off until the end of the month. "
        "Show this text at {store}. Bookings: {store_phone}.",
        "{name|您好}，本月底前工作日下午到店消费享8折，出示本短信即可。预约电话{store_phone}。",
    ),
    Wording(
        "promotion-recharge",
        "Recharge days",
        MARKETING,
        "",
        "{name|Hello}, this week at {store}: recharge 500 and get 80 on top, 1000 and get 200. "
        "Your balance today: {balance}.",
        "{name|您好}，本周充值有礼：充500送80，充1000送200。您目前的余额为{balance}。",
    ),
    Wording(
        "wake-up",
        "We miss you",
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
        MARKETING,
        "",
        "Happy birthday, {name|dear guest}! We have a small gift for you at {store}: "
        "show this text within seven days.",
        "{name|您好}，祝您生日快乐！七日内到店出示本短信，可领取一份生日小礼。",
    ),
)
