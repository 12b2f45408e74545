"""Facts from other systems: stored once, announced at once, answered with what each rule did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.caller import Caller
from crm.api.endpoints import WriteEndpoint
from crm.api.fields import Instant, PublicId, Strict, Text, is_integer, read_date, read_instant
from crm.api.firings import show_event
from crm.api.idempotency import Answer
from crm.api.openapi import documented_write
from crm.api.problems import Problem, pointer_to
from crm.api.shapes import AnsweredEventShape
from members.domain.enrolment import read_phone
from members.domain.events import UnknownEventType, event_type, publish
from members.event_types import EVERYWHERE, EventType
from members.models import Member, MembershipEvent

LATE_MAX = timedelta(hours=72)
EARLY_MAX = timedelta(minutes=5)
TEXT_MAX = 200
NUMBER_MAX = 10**12
_KINDS = {
    "text": _("Send a text of 1 to 200 characters."),
    "money": _("Send a whole number of minor units."),
    "number": _("Send a whole number."),
    "date": _("Send a date such as 2026-11-25."),
    "datetime": _("Send a time with its offset, such as 2026-11-25T14:30:00+08:00."),
}


@extend_schema_field({"type": ["string", "integer"], "maxLength": TEXT_MAX})
class Datum(serializers.Field):
    """A declared field's value, judged by `check_data` when the type is known."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class EventBody(Strict):
    """`phone` or `member` says who. `data` holds the declared fields of the type, all of them.

    `key` is the fact's own name in your system: the same fact told twice happens once.
    """

    type = Text(
        max_length=64, help_text="booking_made, customer_arrived, call_missed, fund_moved or custom.<name>"
    )
    phone = Text(required=False, max_length=40)
    member = PublicId(required=False)
    store = PublicId(required=False)
    at = Instant(required=False)
    key = Text(required=False, max_length=128)
    data = serializers.DictField(child=Datum(allow_null=True), required=False, default=dict)  # type: ignore[assignment]

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("phone" in given) == ("member" in given):
            raise serializers.ValidationError({"phone": _("Say who by either phone or member.")}, "who")
        return given


_EXAMPLES = {
    "Booking made": {
        "type": "booking_made",
        "phone": "13800138000",
        "data": {"service": "Haircut", "starts_at": "2026-11-25T14:30:00+08:00"},
    },
    "Customer arrived": {"type": "customer_arrived", "phone": "13800138000", "data": {"place": "Lobby"}},
    "Call missed": {"type": "call_missed", "phone": "13800138000", "data": {"called": "021 5555 0100"}},
    "Fund moved": {
        "type": "fund_moved",
        "phone": "13800138000",
        "data": {"account": "Savings …0456", "direction": "in", "amount": 250000, "fund_balance": 1250000},
    },
}


@documented_write(
    "report_event",
    "Report an event",
    body=EventBody,
    answers={201: AnsweredEventShape, 200: AnsweredEventShape},
    tag="Events",
    examples=_EXAMPLES,
)
class EventsView(WriteEndpoint):
    """Something happened to a member. The trigger rules answer it at once; the answer says what each did.

    200 instead of 201 when an event with the same `key` was told before: nothing happens again.
    """

    body = EventBody

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        declared = declared_type(given["type"])
        check_data(declared, given["data"])
        at = given.get("at", caller.at)
        if not caller.at - LATE_MAX <= at <= caller.at + EARLY_MAX:
            detail = _("An event is reported within 72 hours, and not before it happens.")
            raise Problem(422, "at_out_of_range", detail, errors=[("/at", "at_out_of_range", detail)])
        named = caller.store(given["store"]) if given.get("store") else None
        member = find_member(caller, given)
        store = named or member.home_store
        fact = {"member": member, "store": store, "at": at, "payload": given["data"]}
        return tell(caller, declared, fact, given.get("key"))


def declared_type(name: str) -> EventType:
    """An event that other systems may report; 422 `event_type_unknown` otherwise."""
    try:
        declared = event_type(name)
    except UnknownEventType:
        declared = None
    if declared is None or not declared.is_external:
        detail = _("There is no event of this type that other systems report.")
        raise Problem(422, "event_type_unknown", detail, errors=[("/type", "event_type_unknown", detail)])
    return declared


def find_member(caller: Caller, given: Mapping[str, Any]) -> Member:
    """The member by phone or id among those of the key's stores; 404 `member_not_found` otherwise."""
    lookup = {"public_id": given["member"]} if "member" in given else {"phone": read_phone(given["phone"])}
    member = caller.members().filter(**lookup).first()
    if member is None:
        raise Problem(404, "member_not_found", _("There is no such member that this key may see."))
    return member


def check_data(declared: EventType, data: Mapping[str, Any]) -> None:
    """Every declared field, of its kind, and no other; 422 `validation_failed` naming all that are not."""
    expected = {name: hole.kind for name, hole in declared.placeholders.items() if name not in EVERYWHERE}
    errors = [
        (pointer_to("/data", name), "unknown_field", _("There is no such field."))
        for name in data.keys() - expected
    ]
    for name, kind in expected.items():
        if name not in data:
            errors.append((pointer_to("/data", name), "required", _("This field is required.")))
        elif not is_of_kind(kind, data[name]):
            errors.append((pointer_to("/data", name), f"not_{kind}", _KINDS[kind]))
    if errors:
        raise Problem(
            422, "validation_failed", _("Some fields are not as documented."), errors=sorted(errors, key=str)
        )


def is_of_kind(kind: str, value: Any) -> bool:
    """Whether a JSON value is what a placeholder of this kind takes."""
    if kind == "text":
        return isinstance(value, str) and bool(value.strip()) and len(value) <= TEXT_MAX
    if kind in ("money", "number"):
        return is_integer(value) and abs(value) <= NUMBER_MAX
    return (read_date(value) if kind == "date" else read_instant(value)) is not None


def tell(caller: Caller, declared: EventType, fact: Mapping[str, Any], own_key: str | None) -> Answer:
    """Publish the fact, or show the earlier one of its key. 422 `event_key_reuse` if that was another."""
    source = caller.actor.scope
    key = f"event:{own_key}" if own_key else f"request:{caller.key}"
    try:
        with transaction.atomic():
            event = publish(declared.name, source=source, key=key, **fact)
    except IntegrityError:
        event = None
    if event is not None:
        return 201, show_event(event)
    earlier = MembershipEvent.objects.select_related("member", "store").get(source=source, key=key)
    if differing := _differences(earlier, declared, fact):
        detail = _("Another event was reported with this key.")
        differs = [(pointer, "differs", _("This differs from the first report.")) for pointer in differing]
        raise Problem(422, "event_key_reuse", detail, errors=[("/key", "event_key_reuse", detail), *differs])
    return 200, show_event(earlier)


def _differences(earlier: MembershipEvent, declared: EventType, fact: Mapping[str, Any]) -> list[str]:
    """What another report says otherwise, by pointer; not when and where, which a report may leave open."""
    said: dict[str, Any] = {"/type": declared.name, "/member": fact["member"].pk}
    was: dict[str, Any] = {"/type": earlier.type, "/member": earlier.member_id}
    for values, data in ((said, fact["payload"]), (was, earlier.payload)):
        values |= {pointer_to("/data", name): value for name, value in data.items()}
    return sorted(pointer for pointer in said | was if said.get(pointer) != was.get(pointer))
