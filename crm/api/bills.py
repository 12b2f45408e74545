"""A bill: its lines, and who pays it: points, coupons, tenders, a hold, the card for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from crm.api.caller import Caller
from crm.api.cards import NOTE_MAX, REFERENCE_MAX, TENDERS_MAX, TenderBody, show_deed
from crm.api.endpoints import WriteEndpoint, one_or_404
from crm.api.fields import AMOUNT_MAX, Flag, Minor, PublicId, RowId, Strict, Text, WholeNumber
from crm.api.idempotency import Answer
from crm.api.openapi import documented_write
from crm.api.problems import Problem
from crm.api.shapes import BilledShape, BillShape, CodeSentShape
from members.domain.bills import Line
from members.domain.coupon_codes import find_coupon
from members.domain.ledger import TenderPaid
from members.domain.spending import spend
from members.enums import TenderType
from members.models import Card, Coupon, GoodsCategory, Hold
from members.phones import mask
from messaging.domain import verification
from messaging.enums import CodePurpose

LINES_MAX = 100
COUPONS_MAX = 5
FROM_A_SYSTEM = None  # the member is before somebody else's till: only the number's own limits hold


class LineBody(Strict):
    """Goods of a bill. `is_discounted` goods were reduced already: no tier discount, no points."""

    amount_minor = Minor()
    label = Text(required=False, default="", allow_blank=True, max_length=80)  # type: ignore[assignment]
    category = RowId(required=False, help_text="One of GET /api/v1/categories.")
    is_discounted = Flag(required=False, default=False)


class RestBody(Strict):
    """The tender of what the card cannot pay."""

    type = serializers.ChoiceField(choices=TenderType.choices)
    reference = Text(required=False, default="", allow_blank=True, max_length=REFERENCE_MAX)


class BillBody(Strict):
    """A bill before discounts. `lines`, if any, add up to it. The card pays what nothing else pays."""

    amount_minor = Minor()
    lines = LineBody(many=True, required=False, default=list, max_length=LINES_MAX)  # type: ignore[call-arg]
    tenders = TenderBody(many=True, required=False, default=list, max_length=TENDERS_MAX)  # type: ignore[call-arg]
    rest = RestBody(required=False)
    points = WholeNumber(
        required=False, default=0, min_value=0, max_value=AMOUNT_MAX, help_text="Points to pay with."
    )
    coupons = serializers.ListField(
        child=Text(min_length=1, max_length=20),
        required=False,
        default=list,
        max_length=COUPONS_MAX,
        help_text="Codes of the member's coupons, in any case and grouping.",
    )
    code = Text(
        required=False,
        min_length=1,
        max_length=12,
        help_text="The member's code, when `code_required` asked for one.",
    )
    note = Text(required=False, default="", allow_blank=True, max_length=NOTE_MAX)
    store = PublicId(required=False)


class SpendBody(BillBody):
    """A bill, paid by a hold first if there is one."""

    hold = PublicId(
        required=False, help_text="An open hold of this card: captured, what is left of it freed."
    )


class SendCodeBody(Strict):
    """Nothing to say but which store signs the text."""

    store = PublicId(required=False)


@dataclass(frozen=True)
class Checked:
    """What was looked up before the deed and stays whatever becomes of it."""

    coupons: Sequence[Coupon] = ()
    is_confirmed: bool = False


class BillEndpoint(WriteEndpoint):
    """A bill of one card. The code and the coupons are checked before the deed, once an Idempotency-Key."""

    def card_of(self, caller: Caller, **path: Any) -> Card:
        raise NotImplementedError

    def hold_of(self, caller: Caller, given: dict[str, Any], **path: Any) -> Hold | None:
        raise NotImplementedError

    def before(self, caller: Caller, given: dict[str, Any], **path: Any) -> Checked:
        card = self.card_of(caller, **path)
        coupons = [
            find_coupon(text=text, member=card.member, scope=caller.actor.scope, at=caller.at)
            for text in dict.fromkeys(given["coupons"])
        ]
        return Checked(coupons, "code" in given and _is_right(card, given["code"], caller))

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        card, said = self.card_of(caller, **path), checked or Checked()
        rest = given.get("rest")
        outcome = spend(
            actor=caller.actor,
            key=caller.key,
            at=caller.at,
            card=card,
            store=caller.store(given.get("store")),
            amount_minor=given["amount_minor"],
            lines=_lines(given["lines"]),
            tenders=[TenderPaid(**tender) for tender in given["tenders"]],
            rest=TenderPaid(rest["type"], 0, rest["reference"]) if rest else None,
            points=given["points"],
            coupons=said.coupons,
            hold=self.hold_of(caller, given, **path),
            is_confirmed=said.is_confirmed,
            note=given["note"],
        )
        return 201, show_deed(outcome) | {"bill": BillShape(outcome.operation).data}


@documented_write(
    "spend",
    "Spend from a card",
    body=SpendBody,
    answers={201: BilledShape},
    tag="Bills",
    examples={
        "From the card": {"amount_minor": 12000},
        "Half in cash": {"amount_minor": 12000, "tenders": [{"type": "cash", "amount_minor": 6000}]},
        "Lines, points and a coupon": {
            "amount_minor": 12000,
            "lines": [
                {"amount_minor": 9000, "label": "Cut", "category": 1},
                {"amount_minor": 3000, "label": "Shampoo", "is_discounted": True},
            ],
            "points": 500,
            "coupons": ["K7M2-9PQX"],
        },
    },
)
class SpendView(BillEndpoint):
    """A bill: discounts of tier and coupons, then points, tenders, the card. Earns points."""

    body = SpendBody

    def card_of(self, caller: Caller, **path: Any) -> Card:
        return one_or_404(caller.cards(), path["public_id"])

    def hold_of(self, caller: Caller, given: dict[str, Any], **path: Any) -> Hold | None:
        if "hold" not in given:
            return None
        found = caller.holds().filter(card=self.card_of(caller, **path), public_id=given["hold"]).first()
        if found is None:
            detail = _("This card has no such hold.")
            raise Problem(422, "hold_unknown", detail, errors=[("/hold", "hold_unknown", detail)])
        return found


@documented_write(
    "capture_hold",
    "Capture a hold",
    body=BillBody,
    answers={201: BilledShape},
    tag="Holds",
    examples={"What was held": {"amount_minor": 5000}},
)
class CaptureView(BillEndpoint):
    """A bill that a hold pays first; what is left of the hold is free again. A hold is captured once."""

    body = BillBody

    def card_of(self, caller: Caller, **path: Any) -> Card:
        return self._hold(caller, **path).card

    def hold_of(self, caller: Caller, given: dict[str, Any], **path: Any) -> Hold | None:
        return self._hold(caller, **path)

    def _hold(self, caller: Caller, **path: Any) -> Hold:
        return one_or_404(caller.holds(), path["public_id"])


@documented_write(
    "send_code",
    "Text the member a code to pay with",
    body=SendCodeBody,
    answers={202: CodeSentShape},
    tag="Bills",
    examples={"Send": {}},
)
class SendCodeView(WriteEndpoint):
    """Six digits to the member's own phone, good for five minutes and one payment; nobody else sees them."""

    body = SendCodeBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        card = one_or_404(caller.cards(), path["public_id"])
        verification.ask_code(
            phone=card.member.phone,
            purpose=CodePurpose.PAY,
            language=card.member.language,
            store=caller.store(given.get("store")),
            at=caller.at,
            ip=FROM_A_SYSTEM,
            source=caller.api_key.source,
        )
        minutes = int(verification.LIFETIME.total_seconds() // 60)
        return 202, {"phone": mask(card.member.phone), "valid_minutes": minutes}


def _is_right(card: Card, code: str, caller: Caller) -> bool:
    """True, or a problem. Counted and used up by itself, so that a refused bill does not give tries back."""
    checked = verification.check_code(
        phone=card.member.phone, purpose=CodePurpose.PAY, code=code, at=caller.at, ip=FROM_A_SYSTEM
    )
    if checked.is_right:
        return True
    detail = (
        _("This is not the member’s code.")
        if checked.checks_left
        else _("This code is over. Send a new one.")
    )
    raise Problem(422, "code_wrong", detail, errors=[("/code", "code_wrong", detail)])


def _lines(given: Sequence[dict[str, Any]]) -> list[Line]:
    """The lines as the bill takes them; 422 at a category that is none."""
    wanted = {line["category"] for line in given if "category" in line}
    known = set(GoodsCategory.objects.filter(pk__in=wanted, is_active=True).values_list("pk", flat=True))
    for place, line in enumerate(given):
        if "category" in line and line["category"] not in known:
            detail = _("There is no such category.")
            pointer = f"/lines/{place}/category"
            raise Problem(422, "category_unknown", detail, errors=[(pointer, "category_unknown", detail)])
    return [
        Line(line["amount_minor"], line["label"], line.get("category"), line["is_discounted"])
        for line in given
    ]
