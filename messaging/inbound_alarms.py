"""Words that cannot wait: "this was not me", a card that is lost or stolen; in English and Chinese.

Asked of texts that nothing else understood, and of questions for a balance and the like (messaging/domain/inbound.py).
They decide how soon a person looks and what the inbox calls it, so they err towards alarm; where a notice that offers
"reply 0" is open, "not me" is that answer (messaging/domain/questions.py).
"""

from __future__ import annotations

import re

from messaging.enums import Concern
from messaging.inbound_grammar import plain_of

_DEED = r"(?:purchase|payment|charge|transaction|order|spend(?:ing)?|redemption|recharge|top[ -]?up|bill|deduction)"
_VALUE = r"(?:cards?|account|balance|points|money|credit|stored value)"
_NEVER = r"\b(?:did ?n[o']?t|never|have ?n[o']?t|had ?n[o']?t)"
_SOMEBODY = r"\b(?:someone|somebody|who|anyone|a stranger|thie\w+)(?: else)?(?: (?:has|is|was|had|have|must have|been))*"
_TAKES = r"(?:us(?:ed|ing|es)|spen[tds]\w*|st[oe]al?\w*|took|taking|charg\w+|paid|paying|hack\w+|drain\w+)"
_NOT_MINE = re.compile(
    "|".join(
        [
            rf"\b(?:was|is) ?n[o']?t (?:me|my (?:own )?{_DEED}s?|mine|made by me)\b|\bnot me\b",
            rf"{_NEVER} (?:\w+ )?(?:make|made|do|done|authori[sz]ed?|approved?) "
            r"(?:this|that|it|those|these|any|the|such)\b",
            rf"{_NEVER} (?:\w+ )?(?:(?:buy|bought|spend|spent|pay|paid) (?:\w+ ){{0,2}}"
            r"(?:this|that|it|anything|any|there|at your|\d)|used? (?:my|the|this) (?:\w+ )?(?:card|account)\b)(?!.* yet\b)",
            r"(?:^|\bi |[,.!?] ?)(?:do ?n[o']?t|did ?n[o']?t|can(?:no|')t) recogni[sz]e\b",
            rf"{_SOMEBODY} {_TAKES}\b.{{0,24}}\b(?:my|our|this) (?:\w+ )?{_VALUE}\b",
            rf"\b(?:charged|debited|took|used) (?:\w+ )?{_VALUE} without\b",
            r"\b(?:fraud\w*|unauthori[sz]ed|identity theft)\b",
            rf"\bmy (?:\w+ ){{0,2}}{_VALUE} (?:was|were|is|has been|have been|got|been) (?:\w+ )?"
            r"(?:stolen|hacked|drained|cloned|charged twice|misused|used by)",
        ]
    )
)
_CHINESE_NOT_MINE = re.compile(
    r"盗刷|盗用|冒用|被盗|被偷|被刷|偷刷|(?:不是|并非|非)(?:我|本人)(?:自己|本人)?(?:$|[,。!;\s]|消费|刷|用|操作|花|买|付|扣|充|弄|做|去|的?消费|的卡(?!号))"
    r"|(?:我|本人)(?:根本|从来|从|今天|昨天|这几天|最近|一直|都|明明|压根)*(?:没有?|未)(?:去|在|来|进)?(?:你们?|店里?|那|这)*(?:消费|刷|花过?钱|买(?!到|着)|付款|付过|用过卡|用卡|操作)"
    r"|(?:谁|有人|别人|他人|人家)(?:偷偷|在|把|又|居然|竟然)*(?:用|刷|花|盗|动|偷|拿)了?(?:我|本人)的?(?:会员)?(?:卡|钱|余额|积分|储值)"
    r"|(?:钱|余额|积分|储值)(?:怎么|莫名其妙|突然|无缘无故|被人?)+(?:没了|不见|少了|扣了?|刷了?|花了?)"
)
_LOST = re.compile(
    r"\b(?:lost|misplaced|mislaid|dropped|can'?t find|cannot find) (?:my|the|our) (?:\w+ ){0,2}(?:card|wallet|purse)\b"
    r"|\bmy (?:\w+ ){0,2}(?:card|wallet|purse) (?:is |was |has been |got |has )?(?:\w+ )?(?:lost|missing|gone|stolen|disappeared)\b"
    r"|\bstole(?:n)? (?:\w+ ){0,2}(?:card|wallet|purse|phone)\b"
    r"|\b(?:freeze|block|suspend|lock|deactivate|disable) (?:my|the|this) (?:\w+ ){0,2}(?:card|account)\b"
)
_CHINESE_LOST = re.compile(
    r"挂失|冻结|(?:卡|钱包)(?:片|子)?(?:好像|可能|已经|给|被我?|弄|搞|不小心)*(?:丢|掉了|遗失|不见|没了|找不到|落在)"
    r"|(?:丢|弄丢|遗失|丢失|找不到|掉)了?(?:我的?|那张|一张|张)?(?:会员|储值)?(?:卡|钱包)"
)


def alarm_in(text: str) -> Concern | None:
    """DISPUTE where somebody says that a deed was not theirs, LOST where a card is gone, None for everything else."""
    plain = plain_of(text).replace("\n", " ")
    compact = plain.replace(" ", "")
    if _NOT_MINE.search(plain) or _CHINESE_NOT_MINE.search(compact):
        return Concern.DISPUTE
    if _LOST.search(plain) or _CHINESE_LOST.search(compact):
        return Concern.LOST
    return None
