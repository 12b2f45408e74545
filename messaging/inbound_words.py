"""The words of the inbound grammar: data for messaging/inbound_grammar.py.

Written as they compare: NFKC, lower case, simplified characters. Source of the words: sms-facts §4 (Twilio,
AWS, FCC and Chinese carrier lists).
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A whole text that means stop, whoever sends it. Latin words also with spaces, dots or hyphens inside.
STOP_WORDS = _words(
    """
    stop stopall stopp unsubscribe unsub cancel cancelall end quit revoke optout remove removeme
    unsubscribeme unsubscribeall stopsms stoptext stoptexts stopmessages stopads arret abmelden alto baja
    cancelar parar sair stpo sotp tsop stp sto td tdtd tuiding txtstop nomore nomoretexts nomoremessages
    nomoresms 退订 退定 推订 退顶 退丁 退钉 退 拒收 拒绝 取消 取消订阅 取消短信 取消接收 停止 停发 停
    td退订 退订td 拒收td 别发 勿扰 请勿打扰 免打扰 屏蔽 拉黑 滚 滚蛋 滚开 走开 闭嘴 垃圾短信 骚扰短信
    烦死了 烦不烦 别烦 够了 不再接收 不接收 拒绝接收 不要了别发 不感兴趣 没兴趣 没有兴趣 无兴趣 关闭短信
    短信退订 不想要 st0p unsubscribed nomas nomás 退退 退退退 不订了 不订阅了 别推 别推了
    """
)

# Words strong enough to decide when they stand alone in one clause of a longer text ("STOP. Wrong person").
STRONG_STOP_WORDS = _words(
    """
    stop stopp stopall unsubscribe unsub optout td tdtd 退订 退定 拒收 我要退订 请退订 取消订阅 停止发送
    stpo sotp
    """
)

# Stop words of one country's language, too common elsewhere to count there.
LOCAL_STOP_WORDS: dict[str, frozenset[str]] = {
    "FR": frozenset({"desabonner", "désabonner", "arrêt", "arreter", "non"}),
    "DE": frozenset({"abbestellen", "stoppen", "nein"}),
    "AT": frozenset({"abbestellen", "stoppen", "nein"}),
    "IT": frozenset({"annulla", "disiscrivi", "basta", "cancella"}),
    "ES": frozenset({"basta", "detener", "borrar"}),
    "MX": frozenset({"basta", "detener", "borrar"}),
    "US": frozenset({"detener", "basta", "revokeall"}),
    "NL": frozenset({"afmelden", "uit"}),
    "SE": frozenset({"avsluta", "slut"}),
    "JP": frozenset({"配信停止", "解除", "停止"}),
    "KR": frozenset({"수신거부", "해지"}),
    "TW": frozenset({"取消订阅", "停止订阅"}),
}

# Politeness that may stand around STOP without changing it.
FILLERS = _words(
    """
    please pls plz plse kindly now thanks thank thx ty you u just ok okay hi hello hey sir madam
    immediately already i said guys team sorry today asap ffs again to ur good morning afternoon evening there
    yes yeah well so but oh um omg god period comma exclamation point mark full seriously literally really honestly bro dude man folks everyone lol
    bitte danke svp merci gracias porfavor favor per por grazie prego alstublieft bedankt tack obrigado
    """
)

MILD_FILLERS = _words(
    """
    please pls plz kindly now thanks thank thx you hi hello ok bitte danke svp merci gracias grazie por favor per
    prego obrigado tack bedankt alstublieft hola bonjour hallo
    """
)

# "STOP x" with one of these is still STOP; "stop by" is not.
AFTER_STOP = _words(
    """
    alerts alert texts text txt txts ads ad adverts spam promo promos promotion promotions promotional sms
    messages message msgs msg notifications notification updates offers offer marketing all it this that
    these them sending texting messaging bothering harassing contacting spamming pestering bugging
    everything subscription service advertising me my your from the any more those annoying unsubscribe
    cancel end quit subscriptions
    """
)

START_WORDS = _words(
    """
    start unstop subscribe resubscribe optin restart resume 恢复订阅 恢复短信 恢复接收 重新订阅 订阅
    取消退订 撤销退订 恢复推送 继续接收 开始接收
    """
)

HELP_WORDS = _words(
    """
    help info helpme aide ayuda hilfe 帮助 求助 使用帮助 短信帮助 bz
    """
)

YES_WORDS = _words(
    """
    y yes yeah yep yup ok okay sure confirm confirmed 是 是的 好 好的 确认 可以 行 对 嗯 能 会来 同意
    """
)

NO_WORDS = _words(
    """
    n no nope nah 否 不 不是 不行 不可以 不能 不来 不去 不同意 不对
    """
)

CANCEL_WORDS = _words(
    """
    c cancel cancelled cancelit cancelbooking 取消 取消预约 取消预订
    """
)

CHINESE_DIGITS = {
    "零": "0", "〇": "0", "一": "1", "壹": "1", "二": "2", "两": "2", "贰": "2", "三": "3", "叁": "3",
    "四": "4", "肆": "4", "五": "5", "伍": "5", "六": "6", "七": "7", "八": "8", "九": "9", "十": "10",
}  # fmt: skip

ENGLISH_DIGITS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10",
}  # fmt: skip

# Self-help: topic to the words that ask for it.
QUERY_WORDS: dict[str, frozenset[str]] = {
    "balance": _words(
        """
        balance balances bal saldo money cash 余额 馀额 结余 余款 余额查询 ye yue cxye yecx 储值 储值余额
        储值卡余额 账户余额 卡余额 会员卡余额 剩余金额
        """
    ),
    "points": _words(
        """
        points point pts 积分 积份 分数 积分查询 会员积分 jf cxjf jfcx
        """
    ),
    "card": _words(
        """
        card cards membership 卡 会员卡 卡片 卡号 我的卡 会员卡号 hyk cxhyk
        """
    ),
    "services": _words(
        """
        services service visits visit washes sessions treatments 次卡 次数 卡次数 剩余次数 剩余服务 服务次数
        疗程 疗程次数 剩余疗程 cs cxcs
        """
    ),
    "coupons": _words(
        """
        coupons coupon voucher vouchers 优惠券 优惠卷 券 卷 卡券 代金券 抵用券 优惠劵 yhq cxyhq
        """
    ),
    "booking": _words(
        """
        booking bookings appointment appointments reservation reservations appt appts 预约 预定 预订 订位
        订房 预约时间 预约信息 预约记录 yy cxyy 预约查询 订座
        """
    ),
}

QUERY_FILLERS = _words(
    """
    what whats what's is are my the a an please pls plz check show see get tell me how much many do does i
    have has left remaining on account query view current total of in can you u know want to hi hello hey
    thanks thank for and acct money available now when whens when's next status lookup look up inquiry
    enquiry it got any there still member membership send sms text need would like could cardholder number s time at
    day date
    """
)

# Real words one letter away from a query word.
NOT_TYPOS = _words(
    """
    looking cooking hooking rooking balanced valance paint paints print prints pint pints joint joints
    pointe appoint brooking balancer disappointment booing boosting
    """
)

# Words that open an on-site interaction when no merchant keyword is given.
KEYWORDS = _words(
    """
    draw lottery lucky vote wall pair match join win enter 抽奖 投票 上墙 配对 签到 报名 抢答
    """
)
