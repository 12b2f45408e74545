"""Message texts: `{name}` and `{name|fallback}`, filled in one pass from data that is never trusted.

A template is text with holes, nothing more: no attributes, no logic, no filters. What a value contains can
never become a placeholder, a signature or a link. Templates fail when they are saved; rendering an approved
template fails only when a value is missing or an exact one (money, number, date, code) would have to be cut.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Kind = Literal["text", "name", "money", "number", "date", "datetime", "code"]

DEFAULT_CAP = 35
CAPS: dict[str, int] = {"name": 20, "money": 24, "number": 12, "date": 24, "datetime": 24, "code": 20}
CUTTABLE = frozenset({"text", "name"})
LONGEST_TEMPLATE = 2000

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)

MESSAGES: dict[str, Promise] = {
    "empty": _("The text is empty."),
    "too_long": _("The text is longer than %(limit)s characters."),
    "unclosed": _("A { is opened here and never closed."),
    "unopened": _("There is a } here without a { before it."),
    "nested": _("There is a { inside another placeholder."),
    "bad_name": _("“%(name)s” cannot be a placeholder. Use small letters, digits and _, for example {name}."),
    "bad_fallback": _("The replacement text of {%(name)s} is too long, or not on one line."),
    "signature_bracket": _("Leave 【 and 】 out: the signature is put in front by itself."),
    "invisible": _("There is an invisible sign here. Delete it and type the text again."),
    "unknown_placeholder": _("This event does not have: %(shown)s."),
}


class TemplateError(ValueError):
    """The template cannot be saved. `position` counts characters from 0; `reason` is a key of MESSAGES."""

    def __init__(self, reason: str, position: int = 0, names: tuple[str, ...] = (), **params: object) -> None:
        super().__init__(f"{reason} at {position}")
        self.reason = reason
        self.position = position
        self.names = names
        self._params = params

    @property
    def message(self) -> str:
        """A plain sentence for the author, in the language active now."""
        return str(MESSAGES[self.reason]) % self._params


class RenderError(ValueError):
    """One text cannot be made: `reason` is missing, too_long or not_text, `name` the placeholder."""

    def __init__(self, reason: str, name: str) -> None:
        super().__init__(f"{reason}: {name}")
        self.reason = reason
        self.name = name


@dataclass(frozen=True, slots=True)
class PlaceholderSpec:
    """What an event promises for one placeholder. `cap` in characters; text and names may be cut to it, nothing exact."""

    name: str
    kind: Kind
    sample: str
    cap: int = DEFAULT_CAP


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template taken apart once. `placeholders` in order of first use, each once."""

    text: str
    placeholders: tuple[str, ...]
    _head: str
    _holes: tuple[tuple[str, str | None, str], ...]  # name, fallback, the literal text after it
    _positions: Mapping[str, int]

    @property
    def fallbacks(self) -> dict[str, str]:
        """The replacement text of each placeholder that has one; the first where it stands twice."""
        return {name: fallback for name, fallback, _after in reversed(self._holes) if fallback is not None}

    @property
    def holes(self) -> tuple[str, ...]:
        """The placeholders in the order they stand, as often as they do."""
        return tuple(name for name, _fallback, _literal in self._holes)

    def check(self, allowed: Mapping[str, PlaceholderSpec]) -> None:
        """Refuse (TemplateError, `.names`) placeholders that the event does not have."""
        unknown = tuple(name for name in self.placeholders if name not in allowed)
        if unknown:
            shown = ", ".join(f"{{{name}}}" for name in unknown)
            raise TemplateError("unknown_placeholder", self._positions[unknown[0]], unknown, shown=shown)

    def render(
        self, values: Mapping[str, str | None], allowed: Mapping[str, PlaceholderSpec] | None = None
    ) -> str:
        """The text for one recipient, without signature and opt-out text.

        A value that is absent or None is replaced by the fallback, or refused (RenderError) if there is none.
        A value of which nothing sendable remains is replaced by the fallback, or left out.
        """
        out = [self._head]
        for name, fallback, literal in self._holes:
            value = values.get(name)
            if value is None:
                if fallback is None:
                    raise RenderError("missing", name)
                out.append(fallback)
            else:
                spec = allowed.get(name) if allowed else None
                out.append(_fill(value, name, spec) or fallback or "")
            out.append(literal)
        return "".join(out)


def _fill(value: str, name: str, spec: PlaceholderSpec | None) -> str:
    if not isinstance(value, str):
        raise RenderError("not_text", name)
    cap = spec.cap if spec else DEFAULT_CAP
    if len(value) > cap or not _is_plain(value):
        exact = spec is not None and spec.kind not in CUTTABLE
        if exact and len(value) > 20 * cap:
            raise RenderError("too_long", name)
        cleaned = clean_value(value[: 20 * cap])
        if len(cleaned) > cap:
            if exact:
                raise RenderError("too_long", name)
            return _cut(cleaned, cap)
        return cleaned
    return value


def _cut(text: str, cap: int) -> str:
    """At most `cap` characters, never between a letter and its accent."""
    end = cap
    while end and unicodedata.category(text[end]) in ("Mn", "Me", "Mc"):
        end -= 1
    return text[:end].rstrip()


# The common case in one match: letters, digits, Chinese, single spaces; dots and colons between digits.
_is_plain = re.compile(
    r"(?:[A-Za-z0-9,\-+¥$€£%()\u4e00-\u9fff]|(?<=[0-9])[.:](?=[0-9])|(?<=\S) (?=\S))+"
).fullmatch

_REPLACED = str.maketrans({"【": "[", "】": "]", "{": "(", "}": ")"})
_TOP_LEVEL = (
    "com|cn|net|org|top|xyz|info|io|cc|vip|shop|store|site|club|online|app|link|ly|biz|ru|ltd|wang|mobi|asia|pro|work|"
    "live|fun|ink|icu|tech|website|space|win|bid|loan|men|dev|page|gle|gl|gd|tk|ml|ga|cf|edu|gov|hk|tw|sg|uk|de|eu|us|"
    "co|me|tv|中国|公司|网络"
)
_LABELS = r"(?<![a-z0-9])(?:[a-z0-9\-\u4e00-\u9fff]{1,63}\.){1,8}"
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.\-]{1,15}://|(?<![a-z0-9])www\.)\S*"
    r"|(?<![a-z0-9])(?:javascript|data|mailto|vbscript|file|sms|tel|weixin):\S*"
    rf"|{_LABELS}[a-z\u4e00-\u9fff][a-z0-9\-\u4e00-\u9fff]{{1,23}}(?::\d+)?/\S*"
    r"|(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/\S*",
    re.IGNORECASE,
)
_BARE_DOMAIN = re.compile(rf"{_LABELS}(?:{_TOP_LEVEL}|xn--[a-z0-9\-]+)(?![a-z0-9])", re.IGNORECASE)


def clean_value(value: str) -> str:
    """A value as it may stand in a text: composed (NFC), visible, on one line, without links or our signs.

    Links are taken out; a bare "name.com", which a handset would turn into a link, loses its dots.
    """
    text = unicodedata.normalize("NFC", value)
    text = "".join(_visible(char) for char in text).translate(_REPLACED)
    folded = unicodedata.normalize("NFKC", text).replace("。", ".").translate(_REPLACED)
    if _LINK.search(folded) or _BARE_DOMAIN.search(folded):  # full-width letters and dots make links too
        text = _unlink(folded)
    return " ".join(text.split())


def _unlink(text: str) -> str:
    while _LINK.search(text) or _BARE_DOMAIN.search(text):  # what is left over must not join up to a new link
        text = _LINK.sub(" ", text)
        text = _BARE_DOMAIN.sub(lambda match: match[0].replace(".", " "), text)
    return text


def _visible(char: str) -> str:
    if char.isspace():
        return " "
    return "" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") else char


@lru_cache(maxsize=2048)
def compile_template(text: str) -> Compiled:
    """Take a template apart; cached. Raises TemplateError where it is broken."""
    _refuse_unsendable(text)
    literals: list[str] = []
    holes: list[tuple[str, str | None]] = []
    positions: dict[str, int] = {}
    start = 0
    while (opened := _next_brace(text, start)) is not None:
        end = _closing(text, opened)
        name, fallback = _placeholder(text, opened, end)
        literals.append(text[start:opened])
        holes.append((name, fallback))
        positions.setdefault(name, opened)
        start = end + 1
    literals.append(text[start:])
    filled = tuple(
        (name, fallback, after) for (name, fallback), after in zip(holes, literals[1:], strict=True)
    )
    return Compiled(text, tuple(positions), literals[0], filled, positions)


def _refuse_unsendable(text: str) -> None:
    if not text.strip():
        raise TemplateError("empty")
    if len(text) > LONGEST_TEMPLATE:
        raise TemplateError("too_long", LONGEST_TEMPLATE, limit=LONGEST_TEMPLATE)
    for position, char in enumerate(text):
        if char in "【】":
            raise TemplateError("signature_bracket", position)
        if char not in "\n\r\u200d" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn"):
            raise TemplateError("invisible", position)


def _next_brace(text: str, start: int) -> int | None:
    opened, closed = text.find("{", start), text.find("}", start)
    if closed != -1 and (opened == -1 or closed < opened):
        raise TemplateError("unopened", closed)
    return opened if opened != -1 else None


def _closing(text: str, opened: int) -> int:
    end = text.find("}", opened)
    if end == -1:
        raise TemplateError("unclosed", opened)
    inner = text.find("{", opened + 1, end)
    if inner != -1:
        raise TemplateError("nested", inner)
    return end


def _placeholder(text: str, opened: int, end: int) -> tuple[str, str | None]:
    name, bar, fallback = text[opened + 1 : end].partition("|")
    if not _NAME.fullmatch(name):
        raise TemplateError("bad_name", opened, name=name[:40])
    if not bar:
        return name, None
    if len(fallback) > DEFAULT_CAP or "|" in fallback or "\n" in fallback or "\r" in fallback:
        raise TemplateError("bad_fallback", opened, name=name)
    return name, fallback


def finish(text: str, *, signature: str, opt_out_text: str, form: str = "【{name}】") -> str:
    """The text as it leaves the house: the signature in its country's form once in front, the opt-out text at the end.

    An empty `signature` or `opt_out_text` adds nothing. Count parts on the result, not before.
    """
    body = text.strip()
    name = signature.strip().strip("【】").strip()
    signed = form.replace("{name}", name)
    if name and not body.startswith(signed):
        body = signed + body
    ending = opt_out_text.strip()
    if ending and not _ends_with(body, ending):
        body += _joint(body, ending) + ending
    return body


def _ends_with(body: str, ending: str) -> bool:
    stop = " \n.。!！"
    return body.rstrip(stop).casefold().endswith(ending.rstrip(stop).casefold())


def _joint(body: str, ending: str) -> str:
    """A space, except after Chinese punctuation, where it would only cost a character."""
    return "" if body[-1:] in "。，！？；：、）】" and ord(ending[0]) > 0x2E80 else " "
