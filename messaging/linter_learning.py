"""Learns the weights of the linter's second reader from labelled texts.

    DJANGO_SETTINGS_MODULE=crm.settings python -m messaging.linter_learning tests/messaging/texts

Logistic regression, the same to the last digit each time. Of texts in the directory: industry.txt, marketing.txt, and
corpus*.tsv whose first column says industry or marketing and whose last is the text.
"""

import hashlib
import math
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from messaging.lexicon.likeness import BIAS, WEIGHTS, features, sentences
from messaging.linter import as_read

ROUNDS, STEP, FORGET = 30, 0.7, 0.003
PART = 0.5  # how much a sentence of a service text counts: none of them may be an offer
SMALLEST = 0.1  # a weight below says nothing

Labelled = tuple[str, bool]  # text, whether it is an offer


def learned(texts: Iterable[Labelled]) -> dict[str, float]:
    """The weight of each feature that at least two texts have."""
    read = [
        example
        for text, is_offer in _shuffled(texts)
        for example in _examples(as_read(text), is_offer=is_offer)
    ]
    seen = Counter(feature for found, _, _ in read for feature in found)
    examples = [([one for one in found if seen[one] > 1], is_offer, worth) for found, is_offer, worth in read]
    weights: dict[str, float] = {BIAS: 0.0}
    for turn in range(ROUNDS):
        step = STEP / (1 + turn / 5)
        for found, is_offer, worth in examples:
            _learn_one(weights, found, is_offer=is_offer, step=step, worth=worth)
    return {
        one: round(weight, 2) for one, weight in weights.items() if one == BIAS or abs(weight) >= SMALLEST
    }


def _examples(text: str, *, is_offer: bool) -> list[tuple[list[str], bool, float]]:
    whole = [(sorted(features(text)), is_offer, 1.0)]
    parts = [] if is_offer else [text[start:end] for start, end in sentences(text)]
    return whole + [(sorted(features(part)), False, PART) for part in parts if len(parts) > 1]


def _learn_one(
    weights: dict[str, float], found: list[str], *, is_offer: bool, step: float, worth: float
) -> None:
    length = math.sqrt(len(found) or 1)
    score = weights[BIAS] + sum(weights.get(one, 0.0) for one in found) / length
    error = (1 / (1 + math.exp(-score)) - is_offer) * worth
    weights[BIAS] -= step * error / 10
    for one in found:
        weights[one] = weights.get(one, 0.0) * (1 - step * FORGET) - step * error / length


def _shuffled(texts: Iterable[Labelled]) -> list[Labelled]:
    return sorted(set(texts), key=lambda labelled: hashlib.sha256(labelled[0].encode()).digest())


def labelled(directory: Path) -> list[Labelled]:
    texts = [
        (line.replace("\\n", "\n"), name == "marketing")
        for name in ("industry", "marketing")
        for line in (directory / f"{name}.txt").read_text("utf-8").splitlines()
    ]
    for corpus in sorted(directory.glob("corpus*.tsv")):
        rows = [line.split("\t") for line in corpus.read_text("utf-8").splitlines()]
        texts += [(row[-1].replace("\\n", "\n"), row[0] == "marketing") for row in rows]
    return texts


def write(weights: dict[str, float]) -> None:
    lines = [f"{feature}\t{weight:g}\n" for feature, weight in sorted(weights.items())]
    WEIGHTS.write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    write(learned(labelled(Path(sys.argv[1]))))
