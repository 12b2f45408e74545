"""What a lexicon rule is made of, and the advice given with it."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DEFINITION = "Regulars: marketing is any promotion, invitation, greeting or win-back, also as a tail"
ALIYUN = "Aliyun template rules 91975, 108088"
TENCENT = "Tencent Cloud SMS 39023"
REFERRED_CONTACT = "Carrier rule on contacts in texts (2025-07)"

STRONG, MEDIUM, WEAK = 3, 2, 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason. `regions` empty: everywhere."""

    name: str
    weight: int
    patterns: tuple[str, ...]
    source: str
    suggestion: Promise
    regions: frozenset[str] = frozenset()


TAKE_OUT = _("Take this out, or send it as a marketing text.")
FACTS_ONLY = _("Say only what happened and what to do next; move this to a marketing text.")
GREETING = _("Greetings are marketing. Send this as a birthday or holiday campaign.")
SPLIT = _("Split it: the notice now, the offer as a marketing text to those who agreed.")
UNSURE = _("A reviewer should read this. Facts without an invitation pass by themselves.")
