"""What an inbound text means: one published order, decided from the text and the open conversation alone.

Order (`PRECEDENCE`): opt-out, opt-in, help, answer to the pending question, interaction keyword, self-help query, human
inbox. A pending question owns its own answers (1–5, Y, N, C) before anything else. When in doubt whether
somebody wants no more texts, they do: suppress first, ask later. An inbound text never grants consent here:
`opt_in` only says that it was asked for. Words and sources: messaging/inbound_words.py, sms-facts §4.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from messaging.chinese import simplify
from messaging.inbound_silence import asks_for_silence, denies_stopping
from messaging.inbound_words import (
    AFTER_STOP,
    CANCEL_WORDS,
    CHINESE_DIGITS,
    ENGLISH_DIGITS,
    FILLERS,
    HELP_WORDS,
    KEYWORDS,
    LOCAL_STOP_WORDS,
    MILD_FILLERS,
    NO_WORDS,
    NOT_TYPOS,
    QUERY_FILLERS,
    QUERY_WORDS,
    START_WORDS,
    STOP_WORDS,
    STRONG_STOP_WORDS,
    YES_WORDS,
)

IntentKind = Literal["opt_out", "opt_in", "help", "answer", "query", "keyword", "human"]
PRECEDENCE: tuple[IntentKind, ...] = ("opt_out", "opt_in", "help", "answer", "keyword", "query", "human")
Pending = Mapping[str, str | Iterable[str]] | Iterable[str] | None

LONGEST_READ = 1600  # characters; what follows is not read


@dataclass(frozen=True, slots=True)
class Intent:
    """`argument`: opt_out "word", "advertised" or "phrase" (how sure); answer the pending key; query the
    topic (balance, points, card, services, coupons, booking); keyword the text in capitals; otherwise ""."""

    kind: IntentKind
    argument: str = ""


def classify_inbound(
    text: str,
    *,
    region: str = "CN",
    advertised: Collection[str] | None = frozenset(),
    pending: Pending = None,
    keywords: Collection[str] | None = None,
) -> Intent:
    """Read one whole inbound text (all parts joined).

    `advertised`: opt-out letters named in the last marketing text to that number, e.g. {"R"}.
    `pending`: the answers of the open question, e.g. {"1", "2", "3"}, or answer to its meaning(s), e.g.
    {"1": "confirm", "3": "cancel"}.
    `keywords`: the merchant's interaction keywords; without it a small built-in list.
    """
    said = _read(text)
    answer = _pending_answer(said, pending)
    how = _opt_out(
        said,
        region,
        {_joined(plain_of(word)) for word in advertised or ()} - {""},
        answered=answer is not None,
    )
    if how:
        return Intent("opt_out", how)
    if said.joined in START_WORDS or _without(said, MILD_FILLERS) in START_WORDS:
        return Intent("opt_in")
    if said.joined in HELP_WORDS or _without(said, MILD_FILLERS) in HELP_WORDS:
        return Intent("help")
    if answer is not None:
        return Intent("answer", answer)
    keyword = _keyword(said, keywords)
    if keyword:
        return Intent("keyword", keyword)
    topic = _query_topic(said)
    return Intent("query", topic) if topic else Intent("human")


@dataclass(frozen=True, slots=True)
class _Said:
    plain: str  # `plain_of`
    whole: str  # plain without surrounding quotes, punctuation, emoji
    joined: str  # whole without spaces, dots, hyphens
    words: tuple[str, ...]  # Latin words and digits
    clauses: tuple[str, ...]  # joined form of each clause

    @property
    def is_chinese(self) -> bool:
        return re.search(r"[\u4e00-\u9fff]", self.whole) is not None


def plain_of(text: str) -> str:
    """As far as it is read: NFKC, lower case, simplified, visible, spaces collapsed."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_READ])
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cs"))
    text = simplify(text.casefold()).replace("’", "'").replace("‘", "'").replace("`", "'")
    return re.sub(r"[^\S\n]+", " ", text).strip()


def _trimmed(text: str) -> str:
    start, end = 0, len(text)
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return text[start:end]


def _joined(text: str) -> str:
    return re.sub(r"[\s.\-_·/,'\"*]+", "", _trimmed(text))


def _read(text: str) -> _Said:
    plain = plain_of(text)
    clauses = re.split(r"[.!?;,\n。!?;,、:…~]+|\s[-–—]+\s|—", plain)
    return _Said(
        plain=plain,
        whole=_trimmed(plain),
        joined=_joined(plain),
        words=tuple(re.findall(r"[a-zà-ÿ0-9']+", plain)),
        clauses=tuple(joined for clause in clauses if (joined := _joined(clause))),
    )


def _without(said: _Said, fillers: Collection[str]) -> str:
    return "".join(word for word in said.words if word not in fillers) if not said.is_chinese else ""


# --- opt-out ---

_OWNABLE = re.compile(
    r"[0-9]+|[ync]|yes|no|" + "|".join(sorted(CANCEL_WORDS | NO_WORDS, key=len, reverse=True))
)
_LONG_STOP = re.compile(r"(?:s+t+o+p+)+")
_CHINESE_COURTESY = re.compile(
    r"^(?:请问?|麻烦(?:你|您)?|你好|您好|亲|唔该|拜托|不好意思|抱歉|thanks|please|pls)+|"
    r"(?:谢谢|多谢|感谢|辛苦|唔该|拜托|你|您|谢|吧|了|啊|哦|呀|啦|哈|呢|嘛|呗|一下|好吗|行吗|可以吗|行不行|thanks|please|pls|thx)+$"
)
_REPEATED = re.compile(r"(.{2,12}?)\1+")
_ECHO = re.compile(
    r"(?:拒收|退订)?(?:请?(?:直接)?(?:回复?|发送?|reply|text|send|"
    r"txt)(?:with)?[:“”《》]*)(.+?)(?:即可|退订)?"
)


def _opt_out(said: _Said, region: str, advertised: Collection[str], *, answered: bool) -> str:
    """How the text asks for silence ("word", "advertised", "phrase"), or "" when it does not."""
    if answered and _OWNABLE.fullmatch(said.joined):
        return ""
    echoed = _ECHO.fullmatch(said.joined)
    forms = {said.joined, echoed[1]} if echoed else {said.joined}
    forms |= {_CHINESE_COURTESY.sub("", form) for form in forms} - {""}
    forms |= {repeated[1] for form in forms if (repeated := _REPEATED.fullmatch(form))}
    if forms & STOP_WORDS or forms & LOCAL_STOP_WORDS.get(region.upper(), frozenset()):
        return "word"
    if any(_is_stop(form) for form in forms) or _is_stop_with_courtesy(said):
        return "word"
    if forms & set(advertised):
        return "advertised"
    if denies_stopping(said.plain):
        return ""
    if any(clause in STRONG_STOP_WORDS or _LONG_STOP.fullmatch(clause) for clause in said.clauses):
        return "word"
    return "phrase" if asks_for_silence(said.whole) else ""


def _is_stop(joined: str) -> bool:
    """STOOOP, STOPSTOP, and a mistyped UNSUBSCRIBE."""
    if _LONG_STOP.fullmatch(joined):
        return True
    return joined.startswith("uns") and 9 <= len(joined) <= 13 and _distance(joined, "unsubscribe", 3) <= 2


def _is_stop_with_courtesy(said: _Said) -> bool:
    """ "please stop now", "STOP texting me", "cancel please": nothing but the word and politeness."""
    if said.is_chinese:
        return False
    words = [word for word in said.words if word not in FILLERS]
    if not words:
        return False
    if _LONG_STOP.fullmatch(words[0]) or words[0] in (
        "stopp",
        "stopall",
        "unsubscribe",
        "unsub",
        "optout",
        "td",
    ):
        return all(
            w in AFTER_STOP or _LONG_STOP.fullmatch(w) or re.fullmatch(r"\d{4,}", w) for w in words[1:]
        )
    mild = "".join(word for word in said.words if word not in MILD_FILLERS)
    return mild in STOP_WORDS


# --- the pending question ---

_BEFORE_ANSWER = re.compile(
    r"^(?:reply|answer|option|choose|press|score|rating|我?(?:选择?|打|给|回复?|答)|选项|评分)[:=]?"
)
_AFTER_ANSWER = re.compile(
    r"(?:分|颗?星|号|个|吧|哦|呢|谢谢(?:你|您)?|thanks?|thankyou|thx|please|pls|stars?|points?|"
    r"outof(?:5|five)|/5)+$"
)


def _pending_answer(said: _Said, pending: Pending) -> str | None:
    """The key of the pending answer that this text gives, or None."""
    if not pending:
        return None
    answers = _answer_forms(pending)
    slash = re.sub(r"\s+", "", said.whole)
    stripped = _AFTER_ANSWER.sub("", _BEFORE_ANSWER.sub("", slash))
    for form in (said.joined, _joined(stripped), _AFTER_ANSWER.sub("", _BEFORE_ANSWER.sub("", said.joined))):
        key = answers.get(CHINESE_DIGITS.get(form) or ENGLISH_DIGITS.get(form) or form)
        if form and key is not None:
            return key
    return None


def _answer_forms(pending: Mapping[str, str | Iterable[str]] | Iterable[str]) -> dict[str, str]:
    if isinstance(pending, str):
        pending = re.split(r"[\s,/|]+", pending)
    forms: dict[str, str] = {}
    for key in pending:
        meanings = pending[key] if isinstance(pending, Mapping) else ()
        meanings = [meanings] if isinstance(meanings, str) else list(meanings)
        for spoken in (key, *meanings):
            plain = _joined(plain_of(str(spoken)))
            for group in (YES_WORDS, NO_WORDS, CANCEL_WORDS):
                if plain in group:
                    forms.update((word, str(key)) for word in group if word not in forms)
            forms[plain] = str(key)
    return forms


# --- self-help ---

_CHINESE_FILLERS = re.compile(
    r"请问|麻烦|帮忙|帮我|我想|我要|想要|想|查询|查一下|查一查|查下|查看|查|看一下|看看|看下|"
    r"问一下|问下|一下|告诉我|发一下|我的|我|你好|您好|"
    r"会员卡里|会员卡|储值卡|卡里面|卡里|卡上|卡内|账户里|账户|账号|目前|现在|当前|还有|还剩下?|"
    r"剩余|剩下?|是什么时候|是哪天|是几点|是多少|有多少|多少|几点|什么时候|哪天|"
    r"是什么|什么|是|有|几|个|的|了|呢|吗|啊|吧|呀|哦|嘛|谢谢|多谢|下|请|总|可用|回复|发送|信息|记录|"
    r"和|跟|还|点|用|[\s,.!?。、:;]"
)
_HOW_MUCH_LEFT = re.compile(
    r"(?:请问|你好|您好|我的?|帮我?查?(?:一下|下)?|查(?:一下|下|询)?|看看|现在|目前|,|\s)*(?:会员|"
    r"储值|充值|次|美容|洗车)?(?:卡|账户|账号|里|里面|上|内|中)*"
    r"(?:还|一共|总共|现在|目前)*(?:有|剩下?|剩余|(?:能|可以)(?:再)?(?:洗|剪|用|做|来|按|练)?)(?:多少|几)(?P<unit>钱|元|块钱?|余额|积分|分|次|"
    r"回)(?:可?用)?[了呢啊呀吗?!。,谢]*"
)
_HOW_MANY_OF = re.compile(
    r"(?:请问|我的?)?(?:[\u4e00-\u9fff]{0,6}?)(?:还|一共|现在)?(?:有|剩下?|剩余)(?:多少|几)(?:次|张)(?:可用)?(?:可用的?)?"
    r"(?:优惠[券卷劵]|[券卷劵]|代金券|洗车|服务)?[了呢啊呀吗?!。,谢]*"
)
_HOW_MANY_LEFT = re.compile(
    r"how (?:many|much) (?P<unit>[a-z]+ )?(?:do i (?:still )?have|have i got|are|is|remain\w*|left)\b"
)


_WANTS_TO_BOOK = re.compile(
    r"\b(?:want|need|like|get|make|have you)\b(?!.*\bmy\b)|(?:想|要|能|可以|帮我|给我)(?:要|在|"
    r"提前)?(?:预约|预定|预订|订)"
)


def _query_topic(said: _Said) -> str:
    topic = _chinese_topic(said) if said.is_chinese else _english_topic(said)
    return "" if topic == "booking" and _WANTS_TO_BOOK.search(said.plain) else topic


def _english_topic(said: _Said) -> str:
    if not said.words or len(said.words) > 14:
        return ""
    rest = [word for word in said.words if word not in QUERY_FILLERS]
    topics = [_topic_of(word) for word in rest]
    if rest and all(topics):
        is_money = "money" in said.words or (set(topics) == {"card"} and "left" in said.words)
        return "balance" if is_money else _most_specific(topics)
    asked = _HOW_MANY_LEFT.search(said.plain)
    if asked and re.search(r"\b(?:left|remaining)\b", said.plain) and len(rest) <= 1:
        return "services" if rest and rest[0] not in ("money", "cash") else "balance"
    return "balance" if asked and not rest else ""


def _chinese_topic(said: _Said) -> str:
    compact = re.sub(r"\s+", "", said.whole)
    if len(compact) > 30:
        return ""
    if compact in _topics():
        return _topics()[compact]
    left = _HOW_MUCH_LEFT.fullmatch(compact)
    if not left and _HOW_MANY_OF.fullmatch(compact):
        return "coupons" if re.search("[券卷劵]", compact) else "services"
    if left:
        return {"积分": "points", "分": "points", "次": "services", "回": "services", "张": "coupons"}.get(
            left["unit"], "balance"
        )
    rest = _CHINESE_FILLERS.sub(" ", compact).split()
    topics = [_topic_of(word) for word in rest]
    if not rest:
        return "card" if "会员卡" in compact else ""
    return _most_specific(topics) if all(topics) else ""


def _most_specific(topics: list[str]) -> str:
    return next((topic for topic in topics if topic != "card"), "card")


@lru_cache(maxsize=1)
def _topics() -> dict[str, str]:
    return {word: topic for topic, words in QUERY_WORDS.items() for word in words}


def _topic_of(word: str) -> str:
    """The topic a word asks for; words of six letters and more may have one slip."""
    known = _topics().get(word)
    if known or len(word) < 5 or not word.isascii() or word in NOT_TYPOS:
        return known or ""
    for candidate, topic in _topics().items():
        if len(candidate) >= 6 and candidate.isascii() and _distance(word, candidate, 2) <= 1:
            return topic
    return ""


def _distance(left: str, right: str, limit: int) -> int:
    """Edits between two words (insert, delete, replace, swap neighbours), or `limit` when there are more."""
    if abs(len(left) - len(right)) >= limit:
        return limit
    before: list[int] = []
    previous: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, previous, row = previous, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return min(row[-1], limit)


# --- interactions ---


def _keyword(said: _Said, keywords: Collection[str] | None) -> str:
    """The text in capitals when it opens an interaction: "#WIN", "VOTE 3", "抽奖"."""
    if re.fullmatch(r"#\s?\w{1,20}", said.plain):
        return said.whole.upper()
    known = KEYWORDS if keywords is None else {_joined(plain_of(word)) for word in keywords}
    led = re.fullmatch(r"(\D+?)\s*\d{1,6}", said.whole)
    return said.whole.upper() if said.joined in known or (led and led[1] in known) else ""
