"""The few texts the engine itself speaks. Their wording is fixed by the release, like the code around them."""

from typing import Final

from messaging.enums import MessageClass

SYSTEM_TEXTS: Final[dict[str, tuple[MessageClass, dict[str, str]]]] = {
    "register_code": (
        MessageClass.VERIFICATION,
        {
            "en": "{code} is your sign-up code. It is valid for {minutes} minutes. Nobody from us will ask for it.",
            "zh-hans": "您的注册验证码是{code}，{minutes}分钟内有效。工作人员不会向您索要验证码。",
        },
    ),
    "login_code": (
        MessageClass.VERIFICATION,
        {
            "en": "{code} is your log-in code. It is valid for {minutes} minutes. Nobody from us will ask for it.",
            "zh-hans": "您的登录验证码是{code}，{minutes}分钟内有效。工作人员不会向您索要验证码。",
        },
    ),
    "pay_code": (
        MessageClass.VERIFICATION,
        {
            "en": "{code} confirms your payment from the card. Valid for {minutes} minutes. Tell it only at the till.",
            "zh-hans": "您的消费验证码是{code}，{minutes}分钟内有效，仅在收银台确认本次付款时告知店员。",
        },
    ),
    "pass_on_code": (
        MessageClass.VERIFICATION,
        {
            "en": "{code} lets value of your card go to another member. Valid for {minutes} minutes. Not you? Tell nobody.",
            "zh-hans": "您正在把卡内资产转给其他会员，验证码是{code}，{minutes}分钟内有效。非本人操作请勿告知任何人。",
        },
    ),
    "change_phone_code": (
        MessageClass.VERIFICATION,
        {
            "en": "{code} lets your card move to another phone. Valid for {minutes} minutes. Not you? Tell nobody.",
            "zh-hans": "您正在更换会员手机号，验证码是{code}，{minutes}分钟内有效。非本人操作请勿告知任何人。",
        },
    ),
    "change_password_code": (
        MessageClass.VERIFICATION,
        {
            "en": "{code} lets your password be changed. Valid for {minutes} minutes. Not you? Tell nobody.",
            "zh-hans": "您正在修改密码，验证码是{code}，{minutes}分钟内有效。非本人操作请勿告知任何人。",
        },
    ),
    "redeem_code": (
        MessageClass.VERIFICATION,
        {
            "en": "{code} confirms that you redeem. Valid for {minutes} minutes. Tell it only at the till.",
            "zh-hans": "您的兑换验证码是{code}，{minutes}分钟内有效，仅在收银台确认本次兑换时告知店员。",
        },
    ),
    "identity_code": (
        MessageClass.VERIFICATION,
        {
            "en": "{code} proves that this phone is yours. Valid for {minutes} minutes. Not you? Tell nobody.",
            "zh-hans": "您的身份验证码是{code}，{minutes}分钟内有效。非本人操作请勿告知任何人。",
        },
    ),
    "opted_out": (
        MessageClass.TRIGGER,
        {
            "en": "You will get no more marketing texts from us. Reply START to get them again.",
            "zh-hans": "已为您退订营销短信。如需恢复，请回复START。",
        },
    ),
    "opted_in": (
        MessageClass.TRIGGER,
        {"en": "You will get our texts again.", "zh-hans": "已为您恢复短信服务。"},
    ),
    "test": (
        MessageClass.NOTIFICATION,
        {"en": "A test text by way of {gateway}.", "zh-hans": "这是一条经“{gateway}”发送的测试短信。"},
    ),
    "help": (
        MessageClass.TRIGGER,
        {
            "en": "{store}, {phone}. Reply BALANCE for your balance, STOP to opt out of marketing texts.",
            "zh-hans": "{store}，电话{phone}。回复“余额”查询余额，回复“退订”不再接收营销短信。",
        },
    ),
    "code_not_by_text": (
        MessageClass.TRIGGER,
        {
            "en": "Please type the code where you asked for it. Nobody from us ever needs it by text.",
            "zh-hans": "请在获取验证码的页面填写验证码，切勿以短信发送，工作人员不会索取。",
        },
    ),
    "disputed": (
        MessageClass.TRIGGER,
        {
            "en": "Thank you. A manager looks into it now and gets back to you. To lock your card at once, call {phone}.",
            "zh-hans": "已收到，店长会立即核实并与您联系。如需马上冻结会员卡，请致电{phone}。",
        },
    ),
    "disputed_frozen": (
        MessageClass.TRIGGER,
        {
            "en": "Thank you. Your card is frozen, and a manager looks into it now and gets back to you. Phone: {phone}.",
            "zh-hans": "已收到，您的会员卡已冻结，店长会立即核实并与您联系。电话{phone}。",
        },
    ),
}

# What members ask by text (messaging/domain/self_help.py), and the words inside.
ANSWERS: Final[dict[str, dict[str, str]]] = {
    "balance": {
        "en": "Your balance is {balance} (principal {principal}, bonus {bonus}). Points: {points}.",
        "zh-hans": "您的余额为{balance}（本金{principal}，赠金{bonus}），积分{points}分。",
    },
    "balance_of_cards": {
        "en": "Your balance is {balance} (principal {principal}, bonus {bonus}): {cards}. Points: {points}.",
        "zh-hans": "您的余额为{balance}（本金{principal}，赠金{bonus}）：{cards}。积分{points}分。",
    },
    "points": {"en": "You have {points} points.", "zh-hans": "您当前有{points}积分。"},
    "cards": {"en": "Your cards: {cards}.", "zh-hans": "您的会员卡：{cards}。"},
    "no_card": {"en": "You have no card yet.", "zh-hans": "您还没有会员卡。"},
    "services": {"en": "Left on your cards: {services}.", "zh-hans": "您的次卡剩余次数：{services}。"},
    "no_services": {"en": "You have no count card.", "zh-hans": "您没有次卡。"},
    "coupons": {
        "en": "Coupons you can use now ({number}): {coupons}.",
        "zh-hans": "您有{number}张可用优惠券：{coupons}。",
    },
    "no_coupons": {"en": "You have no coupons to use now.", "zh-hans": "您目前没有可用的优惠券。"},
    "times": {"en": "{number} services left", "zh-hans": "剩{number}次"},
    "frozen": {"en": " (frozen)", "zh-hans": "（已冻结）"},
}


def in_language(texts: dict[str, str], language: str) -> str:
    """The wording in this language, or in English."""
    return texts.get(language) or texts["en"]
