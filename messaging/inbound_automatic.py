"""Texts a machine sends by itself: out of office, "I'm driving". Answering one can start two machines talking."""

import re
import unicodedata

_AUTOMATIC = re.compile(
    r"\bauto(?:matic|mated)?[ -]?(?:reply|response|respon\w+|message)\b|\bautoreply\b|\bout of (?:the )?office\b"
    r"|\bi(?:'m| am) (?:currently )?(?:driving|unavailable|away|in a meeting)\b.*\b(?:later|soon|back|reply|respond)"
    r"|\bdo not disturb while driving\b|\bsent (?:automatically|from my car)\b"
    r"|\bthis (?:number|mailbox|line) (?:is not|isn't|does not|cannot) (?:monitored|accept|receive|take)"
    r"|\bplease do not reply to this\b"
    r"|自动回复|自动应答|自动答复|系统自动|此号码不接收|请勿回复本"
    r"|(?:正在|在)(?:开车|驾驶|开会|忙|飞机上).*(?:稍后|晚点|一会儿?|之后)(?:再)?(?:联系|回复|回电|回您|回你|打给)"
)


def is_automatic(text: str) -> bool:
    """Whether it reads like a machine's own text."""
    plain = unicodedata.normalize("NFKC", text[:400]).casefold().replace("’", "'")
    return _AUTOMATIC.search(plain) is not None
