"""A member's new phone number. Whoever holds a stolen session or a friend at the till must not get at the value.

With a code sent to the old number the change is done at once. Without one a manager or owner asks for it: the old
number is told, it waits 24 hours, and it can be stopped from the old number or at the till. While it waits and for
24 hours after it only a little of the member's value is taken in all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from constance import config
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import signals
from members.domain import audit, events, lately
from members.domain.enrolment import PhoneTaken, phone_hash, read_phone
from members.domain.ledger import Actor, NotCurrent, OwnAccount, check_same
from members.enums import Role
from members.models import Account, Hold, Member, Operation, PhoneChange, PhoneChangeStatus, Staff, Store
from members.phones import mask
from members.refusals import Refused

WAITS_FOR = COOLS_FOR = timedelta(hours=24)
CLOCK = Actor(scope="phone-changes")


class CoolingOff(Refused):
    """The phone is being changed or was just changed: no large spend yet. `facts["limit_minor"]` is what may be."""

    code = "cooling_off"
    field = "amount"


class PhoneChangeForbidden(Refused):
    """Without the code of the old number a manager or owner asks, and says why."""

    code = "phone_change_forbidden"
    field = "reason"


class PhoneChangeWaits(Refused):
    """One change of this member waits already."""

    code = "phone_change_waits"


class PhoneUnchanged(Refused):
    """This is the number the member has."""

    code = "phone_unchanged"
    field = "phone"


class PhoneChangeEnded(Refused):
    """It was done or stopped already."""

    code = "phone_change_ended"


def spend_limit_minor(member: Member, at: datetime) -> int | None:
    """The most that may leave the member in 24 hours now; None when no phone was changed lately."""
    if member.cooling_until is None or member.cooling_until <= at:
        return None
    return int(config.PHONE_CHANGE_SPEND_MAX_MINOR)


def check_spend(
    member: Member,
    amount_minor: int,
    at: datetime,
    *,
    besides: Operation | None = None,
    captured: Hold | None = None,
) -> None:
    """Refuse more than the limit of a changing phone, with all that left the member in 24 hours of it.

    `besides` is the deed that asks, `captured` the hold it pays from. Raises CoolingOff.
    """
    limit = spend_limit_minor(member, at)
    if limit is None or not amount_minor:
        return
    if amount_minor > limit:
        _refuse_cooling(limit)
    people = _one_person(member)
    since = _cooling_since(people)
    before = sum(
        lately.taken_minor(
            member_id=one,
            besides=besides.pk if besides else None,
            besides_hold=captured.pk if captured else None,
            begun=since,
            enough=limit + 1 - amount_minor,
        )
        for one in people
    )
    if before + amount_minor > limit:
        _refuse_cooling(limit)


def _one_person(member: Member) -> list[int]:
    """The member and whoever was merged into them: what either spent, and either's change of phone, counts for both."""
    people = Member.objects.filter(Q(pk=member.pk) | Q(merged_into=member))
    return list(people.order_by("pk").values_list("pk", flat=True))


def _cooling_since(people: list[int]) -> datetime:
    """When the small spends began: what was spent before does not count. A change asked for before the day after another
    is over goes on with that one's days: whoever holds the last number has its codes, and might change it again and again.
    """
    changes = PhoneChange.objects.filter(member__in=people).exclude(status=PhoneChangeStatus.STOPPED)
    since = None
    for asked_at, ended_at in changes.order_by("-asked_at").values_list("asked_at", "ended_at"):
        if since is None or ended_at is None or ended_at + COOLS_FOR > since:
            since = asked_at
    return since or datetime.min.replace(tzinfo=UTC)


def check_gift(member: Member, at: datetime) -> None:
    """Refuse to give any value away while the phone changes. Raises CoolingOff."""
    if spend_limit_minor(member, at) is not None:
        _refuse_cooling(0)


def _refuse_cooling(limit: int) -> None:
    raise CoolingOff(
        _("The phone number is being changed, or was less than 24 hours ago: only small amounts until then."),
        limit_minor=limit,
    )


def waiting_of(member: Member) -> PhoneChange | None:
    """The change of this member that waits, if there is one."""
    return PhoneChange.objects.filter(member=member, status=PhoneChangeStatus.PENDING).first()


def change_phone(
    *,
    actor: Actor,
    key: str,
    at: datetime,
    store: Store,
    member: Member,
    phone: str,
    reason: str = "",
    is_confirmed_by_old: bool = False,
) -> PhoneChange:
    """Change a member's number: at once when the old number's code was right, else after 24 hours.

    Locks the member. Publishes phone_changed, or phone_change_asked while the old number is still the member's.
    Audited. The same key gives the same change. Raises PhoneUnusable, PhoneTaken, PhoneUnchanged, PhoneChangeWaits,
    PhoneChangeForbidden, NotCurrent, ledger.OwnAccount, ledger.IdempotencyConflict.
    """
    number = read_phone(phone)
    with transaction.atomic():
        held = _locked(member)
        if known := PhoneChange.objects.filter(scope=actor.scope, key=key).first():
            return _same(known, member, number, is_confirmed_by_old)
        _check(held, number, actor, store, reason, is_confirmed_by_old)
        change = PhoneChange.objects.create(
            member=held,
            store=store,
            staff_id=actor.staff_id,
            new_phone=number,
            old_masked=mask(held.phone),
            new_masked=mask(number),
            is_confirmed_by_old=is_confirmed_by_old,
            reason=reason,
            scope=actor.scope,
            key=key,
            asked_at=at,
            takes_effect_at=at if is_confirmed_by_old else at + WAITS_FOR,
        )
        if is_confirmed_by_old:
            _take_effect(change, held, actor, at)
        else:
            _announce_asked(change, held, actor, at)
    member.refresh_from_db(fields=["phone", "phone_hash", "cooling_until"])
    return change


def stop(*, actor: Actor, at: datetime, change: PhoneChange) -> PhoneChange:
    """Stop a change that waits: from the old number, or by staff. The limit on spending ends with it. Audited.

    Stopped again it stays as it was. Raises PhoneChangeEnded when it was done.
    """
    with transaction.atomic():
        member = _locked(change.member)
        held = PhoneChange.objects.select_for_update().get(pk=change.pk)
        if held.status == PhoneChangeStatus.STOPPED:
            return held
        if held.status == PhoneChangeStatus.DONE:
            raise PhoneChangeEnded(_("The number has been changed already."))
        _end(held, PhoneChangeStatus.STOPPED, actor, at)
        _cool_as_before(member, at)
        audit.write(
            actor=actor,
            verb="phone_change_stopped",
            subject=member,
            store=held.store,
            after={"new": held.new_masked},
            at=at,
        )
        return held


def apply_due(*, at: datetime, limit: int = 200) -> dict[str, int]:
    """Let the changes whose 24 hours are over take effect, each on its own. Safe to run twice, also at once.

    A number that became somebody else's meanwhile stops its change.
    """
    counts = {"done": 0, "stopped": 0}
    due = PhoneChange.objects.filter(status=PhoneChangeStatus.PENDING, takes_effect_at__lte=at)
    for change in due.select_related("member").order_by("takes_effect_at", "id")[:limit]:
        if ended := _apply(change, at):
            counts["done" if ended == PhoneChangeStatus.DONE else "stopped"] += 1
    return counts


def _apply(change: PhoneChange, at: datetime) -> str | None:
    try:
        with transaction.atomic():
            member = _locked(change.member)
            held = (
                PhoneChange.objects.select_related("store").select_for_update(of=("self",)).get(pk=change.pk)
            )
            if held.status != PhoneChangeStatus.PENDING:
                return None
            _take_effect(held, member, CLOCK, at)
    except PhoneTaken:
        return stop(actor=CLOCK, at=at, change=change).status
    return held.status


def _locked(member: Member) -> Member:
    return (
        Member.objects.select_for_update(of=("self",), no_key=True)
        .select_related("home_store")
        .get(pk=member.pk)
    )


def _same(known: PhoneChange, member: Member, number: str, is_confirmed: bool) -> PhoneChange:
    """The change this key made, if it was for this; of one that is over the number is kept masked only.

    Raises ledger.IdempotencyConflict.
    """
    asked = number if known.new_phone else mask(number)
    check_same(
        {
            "member": known.member_id,
            "phone": known.new_phone or known.new_masked,
            "is_confirmed_by_old": known.is_confirmed_by_old,
        },
        {"member": member.pk, "phone": asked, "is_confirmed_by_old": is_confirmed},
    )
    return known


def _check(member: Member, number: str, actor: Actor, store: Store, reason: str, is_confirmed: bool) -> None:
    if not member.is_current:
        raise NotCurrent(_("This member was merged into another, or erased."))
    staff = Staff.objects.filter(pk=actor.staff_id).first() if actor.staff_id else None
    if staff and (staff.member_id == member.pk or bytes(staff.phone_hash or b"") == bytes(member.phone_hash)):
        raise OwnAccount(_("You cannot do this on your own account. Ask a colleague."))
    if not is_confirmed:
        if staff is None or not staff.may(store.pk, Role.MANAGER, Role.OWNER):
            raise PhoneChangeForbidden(
                _("Without the code of the old number a manager or owner asks for it.")
            )
        if not reason.strip():
            raise PhoneChangeForbidden(_("Say why the old number cannot confirm it."))
    if number == member.phone:
        raise PhoneUnchanged(_("This is the number the member has."))
    if Member.objects.filter(phone=number).exists():
        raise PhoneTaken(_("This number already belongs to a member."))
    if waiting_of(member):
        raise PhoneChangeWaits(_("A change of this number is waiting already. Stop it first."))


def _announce_asked(change: PhoneChange, member: Member, actor: Actor, at: datetime) -> None:
    """Told to the old number: it is the member's until the change takes effect."""
    member.cooling_until = change.takes_effect_at + COOLS_FOR
    member.save(update_fields=["cooling_until"])
    _publish("phone_change_asked", change, member, actor, at)
    _audit("phone_change_asked", change, member, actor, at)


def _take_effect(change: PhoneChange, member: Member, actor: Actor, at: datetime) -> None:
    """The new number is the member's. What others keep by number follows in the same transaction."""
    old_hash, number = bytes(member.phone_hash), change.new_phone
    member.phone, member.phone_hash = number, phone_hash(number)
    member.cooling_until = at + COOLS_FOR
    # a new number locks the row against the foreign keys of deeds that commit: none may be between its accounts and it
    list(
        Account.objects.select_for_update(no_key=True).filter(member=member).order_by("id").values_list("id")
    )
    try:
        with transaction.atomic():
            member.save(update_fields=["phone", "phone_hash", "cooling_until"])
    except IntegrityError as taken:
        raise PhoneTaken(_("This number already belongs to a member.")) from taken
    _end(change, PhoneChangeStatus.DONE, actor, at)
    signals.phone_moved.send(
        Member, member=member, old_hash=old_hash, new_hash=bytes(member.phone_hash), at=at
    )
    _publish("phone_changed", change, member, actor, at)
    _audit("phone_changed", change, member, actor, at)


def _publish(name: str, change: PhoneChange, member: Member, actor: Actor, at: datetime) -> None:
    events.publish(
        name,
        member=member,
        store=change.store,
        source=actor.scope,
        key=f"{name}:{change.public_id}",
        at=at,
        payload={"old_phone": change.old_masked, "new_phone": change.new_masked},
    )


def _audit(verb: str, change: PhoneChange, member: Member, actor: Actor, at: datetime) -> None:
    audit.write(
        actor=actor,
        verb=verb,
        subject=member,
        store=change.store,
        before={"number": change.old_masked},
        after={
            "number": change.new_masked,
            "confirmed_by_old": change.is_confirmed_by_old,
            "takes_effect_at": change.takes_effect_at,
        },
        at=at,
    )


def _end(change: PhoneChange, status: PhoneChangeStatus, actor: Actor, at: datetime) -> None:
    change.status, change.ended_at, change.ended_by, change.new_phone = status, at, actor.scope, ""
    change.save(update_fields=["status", "ended_at", "ended_by", "new_phone"])


def _cool_as_before(member: Member, at: datetime) -> None:
    """An earlier change of the last 24 hours still limits; else nothing does."""
    done = PhoneChange.objects.filter(
        member__in=_one_person(member), status=PhoneChangeStatus.DONE, ended_at__gt=at - COOLS_FOR
    )
    last = done.order_by("-ended_at").first()
    member.cooling_until = last.ended_at + COOLS_FOR if last and last.ended_at else None
    member.save(update_fields=["cooling_until"])
