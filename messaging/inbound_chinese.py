"""A request for silence in Chinese: a word of refusal or of ending, and what is sent.

Part of messaging/inbound_grammar.py. Reads the simplified form without spaces. Cantonese and the English words
people mix in are read as their Chinese ones first.
"""

import re

_SAME = (
    (r"唔好|咪再|咪(?=[发传寄])|咪send", "不要"),
    (r"唔想", "不想"),
    (r"唔使|唔需要", "不用"),
    (r"唔该|拜托|辛苦|请问?|麻烦", ""),
    (r"俾", "给"),
    (r"嘅", "的"),
    (r"哋", "们"),
    (r"简讯|短讯|sms|texts?|messages?|msg", "短信"),
    (r"讯息", "信息"),
    (r"联络", "联系"),
    (r"send|push", "发"),
    (r"unsub(?:scribe)?", "退订"),
    (r"stop", "停止"),
    (r"nomore", "不要再"),
    (r"don'?t", "不要"),
    (r"please|pls|thx|thanks|thankyou", ""),
    (r"remove|delete", "删除"),
    (r"ads?(?![a-z])", "广告"),
)

_THING = r"(?:短信|信息|消息|广告|推送|推广|推销|促销|营销|宣传|提醒|通知|资讯)"
_NO = (
    r"(?:不要|别|勿|不用|不必|不需要|不想|不愿意?|不希望|不再|不接受|不同意|无需|拒绝|停止|禁止|莫|甭|不许|不准|"
    r"谢绝|免)"
)
_SENDING = r"(?:发|传|寄|推|收|看|接收|接受|骚扰|打扰|打搅|轰炸|联系)"
# What may not stand between: "别忘了发短信" asks for one.
_GAP = r"(?:(?!忘|停|取消|关|漏|忽|只|错过|担心|回复|删|换)[^,。!?;:、])"
_ENDING = r"(?:取消|停止|停掉|停了|停一下|停一停|停发|终止|中止|关闭|关掉|关了|屏蔽|拒绝|拒收|解除|撤销|退掉|去掉|删除|结束|退出|注销)"
_WHOSE = (
    r"(?:一下|一下子|这|那|此|该|所有|全部|一切|任何|你们?|贵店|的|我|类|种|些|个|给|向|对|发送?|接收|收到?|掉|了|商业|垃圾|手机|每天|定期|"
    r"会员|号码?|再|群|活动)"
)
_MINE = r"(?:我(?:的)?(?:号码?|手机号?|电话|名字|信息|资料|联系方式)?|(?:这个?|此|本)?(?:手机号?|号码?|电话号?码?))"
_OUT = r"(?:删|移|去掉|剔|除名|拉黑|拿掉|撤|清|踢|注销)"
_BUSINESS = (
    r"(?:预约|预订|订单|订位|订座|评|卡|照片|绑定|地址|旧|排队|候补|名额|座|房|车|密码|提现|换成|改成)"
)

_REQUEST = re.compile(
    "|".join(
        [
            rf"{_NO}{_GAP}{{0,8}}?{_SENDING}{_GAP}{{0,8}}?{_THING}",
            rf"{_NO}{_GAP}{{0,4}}?(?:你们?|这[种类些]|此类|任何|所有)(?:的|个)?{_THING}",
            rf"{_NO}{_GAP}{{0,4}}?(?:推销|骚扰|轰炸|群发|推送|营销|打广告)|(?:不要|别)再?通知我(?=了|$|[,!])",
            r"(?:能|可以|可否|行)[^,。!?]{0,3}(?:不|别|不要|停止?)再?[发传寄推](?:送|了)*(?:吗|么|$)",
            r"(?:^|[,:])(?:请|帮我|赶紧|立即|马上|给我|全部)*(?:删除?|移除|注销)(?:掉|了|吧)*$",
            rf"(?<!不要)(?<!别)(?<!不想)(?<!没有)(?<!没){_ENDING}{_WHOSE}{{0,6}}(?:{_THING}|订阅)(?!费)",
            rf"(?<!不要)(?<!别)(?:删除?|移除|移出|去掉|清除|注销|剔除|拿掉|踢出?)(?:掉|了)?{_MINE}",
            rf"(?:把|将){_MINE}{_GAP}{{0,10}}?{_OUT}",
            rf"{_MINE}(?:从|在)[^,。!?]{{1,8}}(?:中|里|上|内)?{_OUT}",
        ]
    )
)
_END_IT = re.compile(
    r"(?:^|[,。!?;:])(?:帮我|请|给我|全部|都|赶紧|我要|我想)*(?:取消|停|停止|关|关闭|退)(?:掉|了|吧|一下)*(?=$|[,。!?;])"
)
_ASKS_WHY = re.compile(rf"(?:为什么|为啥|为何|怎么就?)[^,。!?]{{0,6}}(?:取消|停|关)|{_THING}(?:呢|没)")


def in_one_chinese(compact: str) -> str:
    """ "唔好再send" is "不要再发"."""
    for pattern, chinese in _SAME:
        compact = re.sub(pattern, chinese, compact)
    return compact


def asks_to_stop(compact: str) -> bool:
    """`compact` normalised, simplified, without spaces, in one Chinese."""
    if re.search(_THING, compact) and _END_IT.search(compact) and not re.search(_BUSINESS, compact):
        return True
    for sentence in re.split(r"[。!?;\n]", compact):
        found = _REQUEST.search(sentence)
        if not found or _ASKS_WHY.search(sentence):
            continue
        if not (re.search(_BUSINESS, sentence) and not re.search(_THING, found[0])):
            return True
    return False
