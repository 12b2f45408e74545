"""What to do with a text that is half service, half offer: the notice now, the offer to those who agreed."""

import re
from dataclasses import dataclass

from messaging.linter import lint

_SENTENCE = re.compile(r"[^。！？!?\n.]*(?:[。！？!?\n]+|\.(?=\s|$)\s*|\.(?=\w)|$)")


@dataclass(frozen=True, slots=True)
class Split:
    """`service` says only what happened; `offer` is what was taken out of it."""

    service: str
    offer: str


def split(text: str, region: str = "CN") -> Split | None:
    """The two texts, or None when there is no offer, or nothing clean is left without it.

    Sentences go whole first; where the offer stands in the only sentence, it is cut at the commas.
    """
    verdict = lint(text, region)
    if not verdict.findings:
        return None
    spans = [(finding.start, finding.end) for finding in verdict.findings]
    for pieces in (_sentences(text), _clauses(text)):
        proposed = _parted(text, pieces, spans)
        if proposed and not lint(proposed.service, region).needs_review:
            return proposed
    return None


def _sentences(text: str) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE.finditer(text):
        ends_inside = match[0].endswith(".") and text[match.end() : match.end() + 1].isalnum()
        if match.end() > start and not ends_inside:
            joined.append((start, match.end()))
            start = match.end()
    return joined


def _clauses(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[^，,；;。！!？?]+[，,；;。！!？?]*\s*", text)]


def _parted(text: str, pieces: list[tuple[int, int]], spans: list[tuple[int, int]]) -> Split | None:
    kept: list[str] = []
    moved: list[str] = []
    for start, end in pieces:
        core = start + len(
            text[start:end].rstrip("。！？!?.,，；; \n")
        )  # a finding may begin at the stop before it
        is_offer = any(start < span_end and span_start < core for span_start, span_end in spans)
        (moved if is_offer else kept).append(text[start:end])
    service, offer = "".join(kept).strip(), "".join(moved).strip()
    if not service or not offer:
        return None
    return Split(_closed(service, text), offer)


def _closed(service: str, text: str) -> str:
    """Ends as the whole text did, not with a comma."""
    trimmed = service.rstrip("，,；; ")
    if trimmed != service or trimmed[-1:].isalnum():
        return trimmed + ("。" if re.search(r"[\u4e00-\u9fff]", text) else ".")
    return service
