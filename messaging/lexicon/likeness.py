"""How much a text is like the offers, and like the service texts, that people have labelled.

A second reader beside the rules: it weighs words and runs of up to three Chinese characters. The weights
(`likeness.tsv`) are learned by `python -m messaging.linter_learning`, never written by hand.
"""

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path

from messaging.lexicon import service, settled

WEIGHTS = Path(__file__).with_name("likeness.tsv")
BIAS = "="  # the feature every text has

# From the first two on a person reads the text although no rule speaks; down to the third it says enough of a service
# although no word list knows it. Chosen on texts the weights of the moment were not learned from.
LIKE_AN_OFFER = -0.4
PART_LIKE_AN_OFFER = 0.7  # one sentence of it
LIKE_A_SERVICE = -1.1
UNKNOWN = -0.8  # neither: too little of it is known
_FEWEST = 6  # known features

_HAN = re.compile("[\u4e00-\u9fff]")
_SENTENCE = re.compile(r"(?:[^。!?;\n.]|\.(?=\S))+[。!?;\n.]*")
_SHORTEST = 5  # characters of a sentence that says anything


def likeness(text: str) -> float:
    """Above zero like an offer, below like a service text. `text` as messaging.linter reads it."""
    weights = _weights()
    known = [weights[feature] for feature in features(text) if feature in weights]
    return weights[BIAS] + sum(known) / math.sqrt(len(known)) if len(known) >= _FEWEST else UNKNOWN


def most_like_an_offer(text: str, like: float) -> tuple[float, tuple[int, int]]:
    """The sentence that is, and where it stands. `like`: the likeness of the whole, which may be one sentence."""
    spans = sentences(text)
    if len(spans) < 2:
        return like, (spans or [(0, len(text))])[0]
    return max((likeness(text[start:end]), (start, end)) for start, end in spans)


def features(text: str) -> set[str]:
    """What is weighed. Numbers, placeholders and links count as such, whatever they say."""
    text = re.sub(r"https?://\S+", " url ", text)
    shapes = {shape for shape, pattern in _SHAPES.items() if pattern.search(text)} | set(_topics(text))
    text = re.sub(r"\{[^{}]{1,60}\}|\d+(?:[.,:]\d+)*", "0", text)
    return shapes | set(_chinese(text)) | set(_english(text)) | {mark for mark in "!?~" if mark in text}


def sentences(text: str) -> list[tuple[int, int]]:
    spans = (match.span() for match in _SENTENCE.finditer(text))
    return [(start, end) for start, end in spans if len(text[start:end].strip()) >= _SHORTEST]


# An exact sum, an hour and a long number are facts of somebody's own; a round sum is a price.
_SHAPES = {
    "@sum": re.compile(r"\d\.\d\d?(?!\d)"),
    "@hour": re.compile(r"\d:\d\d"),
    "@number": re.compile(r"\d{4,}"),
    "@placeholder": re.compile(r"\{[^{}]{1,60}\}"),
    "@settled": re.compile("|".join(settled.SETTLED)),
    "@lure": re.compile("|".join(settled.LURE)),
}
_SERVICE = re.compile("|".join(service.SERVICE))
_MOST_TOPICS = 3


def _topics(text: str) -> Iterable[str]:
    """How many different words of a service it has: what the word lists know, the weights need not learn."""
    found = {match[0] for match in islice(_SERVICE.finditer(text), 2 * _MOST_TOPICS)}
    yield "@service" if found else "@no service"
    yield from (f"@service{count}" for count in range(2, min(len(found), _MOST_TOPICS) + 1))


def _english(text: str) -> Iterable[str]:
    """Words, pairs, how words begin and end, and how a sentence begins: with an imperative or with what happened."""
    words = re.findall(r"[a-zà-ÿ0']+|[?$¥€£%]", text)
    if sum(len(word) > 1 for word in words) < 3 and _HAN.search(text):
        return
    yield from words
    yield from (f"{first} {second}" for first, second in zip(words, words[1:], strict=False))
    for word in re.findall(r"[a-zà-ÿ']{4,}", text):
        yield f"{word[:4]}-"
        yield f"-{word[-3:]}"
    for start, end in sentences(text):
        first = re.findall(r"[a-zà-ÿ']+", text[start:end])[:2]
        yield from (f"^{first[0]}", f"^{' '.join(first)}") if len(first) > 1 else ()


def _chinese(text: str) -> Iterable[str]:
    for run in re.findall(r"[\u4e00-\u9fff0]*[\u4e00-\u9fff][\u4e00-\u9fff0]*", text):
        closed = f"^{run}$"
        yield f"@{min(4, len(run) // 4)}"
        for length in (1, 2, 3):
            yield from (closed[start : start + length] for start in range(len(closed) - length + 1))


@lru_cache(maxsize=1)
def _weights() -> dict[str, float]:
    rows = (line.rpartition("\t") for line in WEIGHTS.read_text("utf-8").splitlines())
    return {feature: float(weight) for feature, _tab, weight in rows}
