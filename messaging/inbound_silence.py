"""Sentences that ask for no more texts, and those that only sound like it, in English and Chinese.

Part of messaging/inbound_grammar.py; reads its normalised form (lower case, simplified). Errs towards
silence.
"""

import re

from messaging import inbound_chinese, inbound_requests

_ENGLISH_DENIALS = re.compile(
    r"(?:do not|don'?t|dont|never|didn'?t|did not|haven'?t|not going to|won'?t) (?:you )?(?:ever |"
    r"please |want to )*"
    r"(?:stop|unsubscribe|opt out|cancel|(?:remove|delete|take) (?:me|us|my)\b)"
    r"|(?:did|have) (?:you|they|i|it) (?:just |ever |been )?(?:stop|stopped|unsubscribed?|opted?)\b"
    r"|never (?:opted out|unsubscribed)\b"
    r"|\b(?:why|when|how come) (?:did |have |has )?(?:you|u|they|(?:the|my|your) \w+) (?:all |just |suddenly )?stop(?:ped)?\b"
    r"|(?:accidentally|by mistake|by accident|mistakenly) (?:unsubscribe|opt|sen[dt] stop)"
    r"|\b(?:texts?|sms|messages) (?:are|is) (?:still |all |totally )*(?:fine|ok|okay|good|great|welcome)\b"
    r"|(?:unsubscribed?|opted? out|stop) (?:\w+ ){0,4}(?:by mistake|by accident|accidentally)"
)
_INSISTENCE = re.compile(
    r"(?:(?:if|unless|until|when|how) (?:\w+ )?(?:you )?(?:don'?t|do not|dont|won'?t|will not|can'?t|cannot|not)?|"
    r"why (?:\w+ )?(?:you )?(?:don'?t|do not|dont|won'?t|will not|can'?t|cannot|not)) ?"
    r"(?:you )?(?:ever |please |just |going to )*stop (?:text|messag|send|spam|contact|bother|"
    r"harass|sms|this|these)"
    r"|still (?:getting|receiving|texting|sending|get|receive)"
)
_CHINESE_INSISTENCE = re.compile(r"(?:怎么|如何|怎样|咋)(?:才能|样)?(?:可以|能)?退订|还在?(?:给我|一直)?发")
_CHINESE_DENIALS = re.compile(
    r"(?:不想?要?|没有?|别|不用|勿|并未|误|不小心|被)(?:我|给我|把我)?(?:就|点|给)?退订|退订错|恢复|"
    r"取消退订|重新订阅"
    r"|(?:不要|别)(?:停|取消|关)(?:$|[了发啊!。,])"
)


def denies_stopping(plain: str) -> bool:
    """Speaks of stopping but asks for the opposite, or tells of the past."""
    compact = plain.replace(" ", "")
    if _INSISTENCE.search(plain) or _CHINESE_INSISTENCE.search(compact):
        return False
    return bool(_ENGLISH_DENIALS.search(plain) or _CHINESE_DENIALS.search(compact))


_THINGS = (
    r"(?:texts?|texting|txts?|txting|messages?|messaging|msgs?|sms|ads?|adverts?|advertis\w+|"
    r"promos?|promotions?|"
    r"promotional|marketing|spam\w*|notifications?|alerts?|e-?mails?|stuff like this)"
)
_ENGLISH_SILENCE = re.compile(
    "|".join(
        [
            rf"\bstop(?:ping)? (?:\w+ ){{0,3}}?(?:{_THINGS}|sending|contacting|bothering|harassing|"
            rf"annoying|pestering|"
            r"bugging|disturbing|writing to)\b",
            r"\b(?:can|could|will|would) (?:you|u) (?:please |just )*stop(?=$|[?!.,]| it\b| this\b| that\b)",
            rf"\b(?:unsubscribe|unsub|opt(?:ing)?[ -]?(?:me |us )?[ -]?out)\b(?! (?:fee|cost|charge|penalty|clause|period|rule|link|button))"
            rf"(?! of (?!(?:[\w']+ ){{0,4}}(?:{_THINGS}|this|these|those|it|everything|all|list|here|that|communications?|campaigns?|offers)\b))",
            r"\b(?:already|told you|asked you|have|'ve|i) (?:\w+ )?(?:unsubscribed|opted out)\b",
            r"\bwhy (?:am i|do i|are you) still (?:\w+ ){0,2}(?:getting|get|receiving|receive|"
            r"texting|sending|messaging)",
            r"\b(?:don'?t|do not|dont|never|quit|cease) (?:ever )?(?:text|texting|txt|message|"
            r"messaging|msg|sms|contact|"
            r"contacting|spam|spamming|disturb|harass|harassing)"
            r"(?: (?:me|us|this|anymore|again|any more)\b|$|[.!,])",
            r"\b(?:don'?t|do not|dont|never|quit|cease) (?:ever )?(?:send|sending) (?:me |us |"
            r"this number )?(?:any |these |"
            rf"those |such |this |anymore |more |your |so many |that )*(?:{_THINGS}|offers?|things|"
            rf"anything|these|this|more)\b",
            r"\b(?:don'?t|do not|dont|no longer|never) (?:want|need|wish|like|care for) "
            rf"(?!to (?:miss|lose|stop|unsubscribe))(?:\w+ ){{0,4}}?(?:{_THINGS}|offers|"
            rf"anything from you|hear from you|"
            r"be (?:contacted|texted|messaged|on (?:this|your|the) list))\b",
            rf"\bno (?:more|further) (?:\w+ ){{0,2}}?(?:{_THINGS}|offers|contact)\b|"
            rf"\bno {_THINGS} (?:please|pls)\b",
            r"\b(?:remove|delete|erase|drop(?! me (?:an? |off|by|at))) (?:me|us|my (?:\w+ )?(?:number|phone|name|details|"
            r"info\w*|data)|this "
            r"(?:phone )?number)\b(?! from (?:[\w']+ ){0,3}(?:wait\w*|queue|booking|class|session|"
            r"lesson|event|table))",
            r"\blose (?:my|this) number\b|\bleave me alone\b",
            r"\b(?:go away|get lost|piss off|fuck off|f off|sod off|bugger off)\b",
            r"\b(?:revoke|withdraw|cancel) (?:my |all )?(?:\w+ )?(?:consent|subscription|"
            r"permission|texts|messages|alerts|sms)\b",
            r"^end (?:it|this|these)$|^(?:end|cancel) (?:all )?(?:texts|messages|alerts|sms|notifications)$|^cease and desist|\bstop ?2 ?(?:end|stop|quit)\b",
            rf"\benough (?:with|of) (?:\w+ ){{0,2}}{_THINGS}\b",
            r"^i revoke|\bthis is (?:spam|harassment)\b|^spam+$|^(?:you are )?spamming\b",
            rf"\b(?:sick|tired|fed up|had enough)(?: and (?:sick|tired))? (?:of|with) (?:\w+ ){{0,3}}{_THINGS}\b",
            r"\b(?:told|asked|begged|warned) you (?:\w+ ){0,3}to (?:stop|quit|leave me)\b",
            rf"\b(?:next|another|one more|any more) {_THINGS}\b.*\b(?:lawyer|attorney|police|report|sue|block)",
            r"\b(?:why|stop) (?:do |are |must )?(?:you |u )?keep(?:ing)? (?:on )?(?:text|send|messag|spam|bother|contact)\w*",
            r"\b(?:quit|stop) (?:it|this|that) with\b|\bmak(?:e|ing) (?:it|this|that|these|them|the \w+) stop\b",
            r"\byou(?:'re| are)? (?:\w+ )?harassing (?:me|us)\b|\bharassment\b",
            r"\b(?:block|cut|drop|strike|scratch|exclude) (?:me|us|my number) (?:from|off|out)\b",
            rf"\bno longer (?:interested|wish|want|care)\b.*\b(?:{_THINGS}|these|this|those|them|receiv\w+|hear\w*)\b",
            r"\b(?:but|and|please|pls|just|so) stop(?: now| please| already)?$",
            r"\b(?:be|get|want|like) (?:removed|taken off|deleted|unlisted)\b(?! (?:stain|tattoo|gel)| (?:\w+ )?from (?:my|the|our) (?:account|profile|order|card|file|booking|bill))",
            r"\b(?:stop|quit|cease) (?:sending|giving) (?:me|us)\b|\bcease (?:all )?(?:contact|texts?|messages?|communication)",
            rf"\b(?:never|did not|didn'?t) (?:ask|asked|sign|signed|subscribe|subscribed|agree|agreed|consent|consented)"
            rf"(?: up)? (?:for|to) (?:any of )?(?:these|this|your|the|any|get|receive)?\b.*(?:{_THINGS}|this|these)$",
            r"\b(?:report|flag)(?:ing|ed)? (?:this|it|you|your number)?(?: as| for)? ?(?:spam|junk)\b",
            r"^stop,? (?:s'il vous pla[iî]t|por favor|per favore|bitte|alstublieft)$",
            r"\bnot interested in (?:\w+ ){0,3}(?:texts|messages|offers|ads)",
            r"^(?:i'?m |i am |we are )?(?:really |just )?not interested(?: anymore|"
            r" any more)?,?(?: thanks| thank you| sorry)?$",
            r"\b(?:block|report) (?:this number|you|this as spam)\b|\bno m[aá]s mensajes\b",
            rf"\bcut (?:it|this|that) out\b|\bgive it a rest\b|\bspare me (?:\w+ ){{0,3}}(?:{_THINGS}|deals|offers|coupons)",
            r"\bleave (?:me|us|my phone) (?:be|in peace)\b|\b(?:stfu|shut up)\b",
            r"\bkeep (?:your |the |these |those )?(?:\w+ )?(?:texts|messages|promos|promotions|ads|deals|offers|coupons) to yoursel",
            r"\b(?:have|had|gave|got) no (?:permission|consent|right) to (?:text|message|contact|send)|\b(?:do not|don'?t|never|no longer|didn'?t) "
            r"(?:have|had|give|gave|got|get) (?:you |u )?(?:my |any )?(?:permission|consent)",
            r"\b(?:tcpa|ftc complaint|do not call (?:list|registry))\b|\bstraight to my (?:lawyer|attorney)",
            r"^(?:i )?(?:really )?(?:don'?t|dont|do not) (?:want|need|like) (?:these|those|any of (?:these|this))\b",
            rf"\b{_THINGS}\b[^.!?]*,? no,? thank(?:s| you)\b|\bno,? thank(?:s| you) to (?:\w+ ){{0,3}}{_THINGS}\b",
            rf"\bpack it in with (?:\w+ )?{_THINGS}\b|^(?:can you |please )?(?:turn|switch|shut) (?:these|those)(?: \w+)? off\b",
            rf"\b(?:if|wish|rather) (?:you|they)(?: (?:could|would|can|all|guys|just|please|kindly))* stop(?:ped)? "
            rf"(?:\w+ ){{0,2}}?(?:{_THINGS}|sending|contacting|bothering)\b|\breport(?:ed|ing)? (?:\w+ )?as (?:spam|junk)\b",
            r"\bnot interested\b[^.!?]{0,20}\bstop$",
            rf"(?:^|[.!?,]\s*)(?:ok(?:ay)? |seriously |that'?s |that is |had )?enough\b(?=[.!?,]).*\b{_THINGS}\b",
            r"^(?:i (?:said|told you) )?(?:no more|enough)(?: please| already| thanks)?$",
        ]
    )
)

# The commonest ways to say it in the other languages of the word list.
_OTHER_SILENCE = re.compile(
    "|".join(
        [
            r"\bplus (?:de|aucun) (?:sms|messages?|pub\w*|textos?)|\bne m'?(?:envoyez|écrivez|contactez) plus|"
            r"\barr[êe]te[rz] (?:de |les |ces |vos )?(?:m'?\w+|sms|messages?|pubs?)",
            r"(?<!habe )(?<!hab )\bkeine? (?:weiteren? )?(?:sms|nachrichten?|werbung|texte)(?: mehr)?\b|\bh[öo]r(?:t|en)? (?:sie |bitte )*auf\b|"
            r"\bnicht mehr (?:schreiben|senden|kontaktieren|anschreiben)",
            r"\bno (?:me )?(?:env[ií]\w+|mand\w+|escrib\w+) (?:m[aá]s|mensajes?|sms)|\bdeje?n? de (?:enviar|mandar|"
            r"escribir|molestar)|\bno quiero (?:m[aá]s )?(?:mensajes|sms|publicidad)",
            r"\bn[ãa]o (?:me )?(?:envi\w+|mand\w+) mais|\bparem? de (?:enviar|mandar)",
            r"\bnon (?:mi )?(?:inviate|mandate|scrivete)\w* pi[ùu]|\bbasta (?:messaggi|sms|pubblicit[àa])",
            r"\bgeen (?:sms\w*|berichten?|reclame) meer|\bstop met (?:sms|bericht|stur)\w*",
            r"\bdar(?:me|nos)? de baja\b|\b(?:d[ée]n?me|denos) de baja\b",
            # leave me in peace
            r"\b(?:laissez|laisse|foutez|fous|fichez)[ -](?:moi|nous) (?:la paix|tranquilles?)|\bd[ée]j[ae]n?me en paz|"
            r"\blass(?:t|en sie)? mich in ruhe|\blascia(?:te)?mi in pace|\bdeix[ae]m?-?me em paz|\blaat me met rust|"
            r"\bjangan (?:kacau|ganggu)\b",
            r"\btui ?ding\b|\b(?:bie|buyao|bu yao) ?(?:zai ?)?fa(?: ?le)?\b",
        ]
    )
)

_ABOUT = r"(?:这|那|此|任何|什么|些|种|类|个|的|你们?|我|垃圾|促销|推广|营销|商业|推销|没用|乱七八糟)*"
_CHINESE_SILENCE = re.compile(
    "|".join(
        [
            r"退[订定](?!金|单|房|票|餐|酒店|机票|位|座|购|好|了?房间|了?酒店|桌|货|这间|的房)",
            r"取消(?:短信|订阅|接收|推送|信息|通知|提醒|群发|广告)",
            r"(?:关闭|关掉|停掉|停了|取消掉|去掉)(?:这?个?|你们的?|所有|全部)?(?:短信|推送|信息|广告|通知)",
            r"(?:不要|不用|别|请勿|勿|莫|不许|不准|不必|甭|停止|禁止|拒绝|不想|不愿意?|不希望|"
            r"不再|不需要|无需|不接受)(?:你们?|他们)?"
            r"(?:再|继续|老是?|总是?|一直|天天|给我?|向我|往我|对我|我|这里|这么|乱|来|随便|每天|"
            r"收到?|接收|接受|看到|任何|此类|这类|"
            r"这种|这些|类似|的|商业|营销|推广|促销|垃圾|有|要|到处|又|群){0,5}?"
            rf"(?:[发传寄](?:送|过?来|到我手机)?(?:给我|我)?{_ABOUT}(?:短信|信息|消息|广告|推送|东西|"
            rf"[了啦吧啊呀吗]|$|[^\w])"
            r"|推送|骚扰|(?:打扰|打搅)(?=我|了|啦|吧|啊|$|[^\w])|烦我|联系我(?!老|妈|爸|的|家|女|男)|短信|信息|消息|广告|推广|轰炸|群发"
            r"|收到?(?:你|这|任何|短信|信息|广告|$))",
            r"拒收",
            r"(?:删除?|移除|去掉|剔除|注销|清除)(?:掉|了)?(?:我的?|本人|这个|此)(?:手机|电话|号码|"
            r"号|信息|资料|名字|联系方式)",
            r"(?:把|将)(?:我|本人)(?:的?(?:手机|电话|号码|手机号|名字|信息))?(?:从(?!\w{0,6}(?:候补|等位|排队|预约|预订|课|订单|座))\w{0,8})?(?:中|"
            r"里)?(?:删|移除|移出|去掉|拉黑|剔除|除名)",
            r"(?:再|还)(?:给我|敢)?发(?:短信|信息|消息|广告|来|一条)?,?(?:我)?(?:就|我就)?(?:\w{0,8})?(?:投诉|"
            r"举报|报警|拉黑|告)",
            r"(?:举报|投诉)(?:你们?|了)?(?:发|骚扰|垃圾|短信|乱发)",
            r"(?:怎么|为什么|为啥|干嘛|干吗)(?:还|老|总|一直|天天)+(?:是|在|给我|要|不停)*发(?!货|票|烧)",
            r"(?:一直|老是?|天天|总是?|不停地?|整天|每天)(?:在|都)?(?:给我|往我手机)?[发推](?:送|来)?(?:这些|各种|什么)?(?:广告|垃圾|促销|推销|营销)",
            r"(?:有|还有)完没完?|发什么发|发够了|没完没了|骚扰我|垃圾短信|骚扰短信|^(?:我)?不(?:是很)?感兴趣|烦不烦|烦死|^滚|"
            r"屏蔽(?:你|了你)|^(?:请|我要|我想)?(?:取消|停止)(?:吧|掉|了吧)?$|不收到?(?:你们?|任何|这|短信)"
            r"|不(?:再|想|要|愿意?|希望|需要)?(?:接收|接受|收取?|看)(?:你们的?|任何|这些|这种|此类|一切|所有)*(?:广告|短信|推广|营销|促销|信息|推送)"
            r"|停止(?:给我|向我|再)?(?:发送|推送|群发|发)(?:给我|我)?(?:任何|所有)?(?:短信|信息|消息|广告|通知)?(?:$|[^\w])",
        ]
    )
)
_DELIVERY = re.compile(
    r"(?:寄|发|送)了.*(?:自己|我[^,。]{0,4}[拿取领]|自取|到店|[来去我]拿|[来去我]取)|打扰.{0,4}\d{3,4}|\d{3,4}.{0,4}打扰|拒收.*(?:快递|包裹|货|订单|外卖)|(?:快递|包裹|货|订单|外卖).*拒收|房.*(?:请勿|不要|别)打扰"
)


_SHORT_FORMS = {"u": "you", "r": "are", "ur": "your", "y": "why", "nomore": "no more", "cud": "could"}
_SHORT = re.compile(rf"(?<![\w'/])(?:{'|'.join(_SHORT_FORMS)})(?![\w'/])")


def asks_for_silence(text: str) -> bool:
    """Would a reasonable person read this as "send me no more texts"? `text` normalised and trimmed."""
    if re.search(r"[\u4e00-\u9fff]", text):
        compact = inbound_chinese.in_one_chinese(re.sub(r"[\s\"“”'《》]+", "", text))
        if _DELIVERY.search(compact):
            return False
        if _CHINESE_SILENCE.search(compact) or inbound_chinese.asks_to_stop(compact):
            return True
    text = _SHORT.sub(lambda short: _SHORT_FORMS[short[0]], text)
    if inbound_requests.asks_to_stop(text):
        return True
    return _ENGLISH_SILENCE.search(text) is not None or _OTHER_SILENCE.search(text) is not None
