"""What a finished text says in the holes of its wording: the way back from a text to its values.

Providers that keep the wordings themselves are told the values alone. They are read out of the very text that was
composed, judged and counted here, and accepted only if the wording filled with them is that text again, letter for
letter; so nothing has to be carried beside the text, and a code leaves no second copy of itself.
"""

from __future__ import annotations

from typing import NamedTuple

from messaging.encoding import clean
from messaging.rendering import TemplateError, compile_template, finish


class Filled(NamedTuple):
    """The signature without brackets, and the values by placeholder in order of first use."""

    signature: str
    values: dict[str, str]


def filled_in(text: str, wording: str, *, opt_out_text: str = "", form: str = "【{name}】") -> Filled | None:
    """How `wording` became `text`; None when it did not. `form` is how the country writes a signature."""
    try:
        compiled = compile_template(wording)
    except TemplateError:
        return None
    names, literals = _taken_apart(wording)
    for signature, body in _unsigned(text, form):
        for ending in _endings(opt_out_text):
            values = _values(body, names, literals, ending)
            if values is None:
                continue
            again = finish(compiled.render(values), signature=signature, opt_out_text=opt_out_text, form=form)
            if clean(again) == text:
                return Filled(signature, {name: values[name] for name in compiled.placeholders})
    return None


def _unsigned(text: str, form: str) -> list[tuple[str, str]]:
    """(signature, body) as the text may be read: signed, or not."""
    before, _, after = form.partition("{name}")
    rest = text.removeprefix(before)
    signature, found, body = rest.partition(after)
    is_signed = text.startswith(before) and bool(after and found and signature)
    return [(signature, body), ("", text)] if is_signed else [("", text)]


def _taken_apart(wording: str) -> tuple[list[str], list[str]]:
    """Names of the holes, and the literals before, between and after them, as they stand in a finished text."""
    names: list[str] = []
    literals: list[str] = []
    rest = wording
    while "{" in rest:
        before, _, rest = rest.partition("{")
        hole, _, rest = rest.partition("}")
        literals.append(clean(before))
        names.append(hole.partition("|")[0])
    literals.append(clean(rest))
    literals[0] = literals[0].lstrip()
    literals[-1] = literals[-1].rstrip()
    return names, literals


def _endings(opt_out_text: str) -> list[str]:
    """How the opt-out text may have been joined on; not at all when the wording says it itself."""
    return [f" {opt_out_text}", opt_out_text, ""] if opt_out_text else [""]


def _values(body: str, names: list[str], literals: list[str], ending: str) -> dict[str, str] | None:
    """The values between the literals: each literal where it comes first, the last one at the end. Linear."""
    last = literals[-1] + ending
    if not names:
        return {} if body == last else None
    if not body.startswith(literals[0]) or not body.endswith(last):
        return None
    start, end = len(literals[0]), len(body) - len(last)
    values: dict[str, str] = {}
    for number, name in enumerate(names):
        is_last = number == len(names) - 1
        stop = end if is_last else body.find(literals[number + 1], start, end)
        if stop < start or values.setdefault(name, body[start:stop]) != body[start:stop]:
            return None
        start = stop + len(literals[number + 1])
    return values
