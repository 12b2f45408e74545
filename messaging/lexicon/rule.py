"""What a lexicon rule is made of, and the advice given with it."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

# Where the rules come from; translated where they are shown.
DEFINITION = gettext_noop(
    "Regulars: marketing is any promotion, invitation, greeting or win-back, also as a tail"
)
ALIYUN = gettext_noop("Aliyun template rules 91975, 108088")
TENCENT = gettext_noop("Tencent Cloud SMS 39023")
REFERRED_CONTACT = gettext_noop("Carrier rule on contacts in texts (2025-07)")

STRONG, MEDIUM, WEAK = 3, 2, 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason. `regions` empty: everywhere. `lifted_below`: the likeness (messaging/lexicon/likeness.py) from which
    down it is no finding; without one it always is.
    """

    name: str
    weight: int
    patterns: tuple[str, ...]
    source: str
    suggestion: Promise
    regions: frozenset[str] = frozenset()
    lifted_below: float | None = None


TAKE_OUT = _("Take this out, or send it as a marketing text.")
FACTS_ONLY = _("Say only what happened and what to do next; move this to a marketing text.")
GREETING = _("Greetings are marketing. Send this as a birthday or holiday campaign.")
SPLIT = _("Split it: the notice now, the offer as a marketing text to those who agreed.")
PLAIN = _("Plain text passes; decoration looks like advertising.")
UNSURE = _("A reviewer should read this. Facts without an invitation pass by themselves.")

LABELS: dict[str, Promise] = {
    "call_to_action": _("Call to action"),
    "cart": _("Abandoned cart"),
    "code_with_link": _("Link beside a code"),
    "contact": _("Contact"),
    "decoration": _("Decoration"),
    "discount": _("Discount"),
    "gift": _("Gift"),
    "greeting": _("Greeting"),
    "invitation": _("Invitation"),
    "launch": _("Something new"),
    "like_an_offer": _("Reads like an offer"),
    "no_service_content": _("No service named"),
    "opt_out_footer": _("Opt-out line"),
    "praise": _("Praise"),
    "price": _("A price"),
    "question": _("A question that invites"),
    "referral": _("Referral"),
    "soft_sell": _("Soft selling"),
    "urgency": _("Urgency"),
    "win_back": _("Win-back"),
}
