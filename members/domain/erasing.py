"""Forgetting a person: who they were is gone, what was done stays under the member number, the books agree as before.

Kept are the deeds with their amounts, the member number as a pseudonym, and the keyed hash in the suppressions, so
that a number which refused texts still refuses them. The events stay; words in them that name the person do not:
the only change an event ever sees. What the other packages keep is blanked in the same transaction (`person_erased`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import signals
from members.domain import audit, coupons, forfeiting
from members.domain.enrolment import record_consent
from members.domain.ledger import Actor, NotCurrent, OwnAccount
from members.domain.merge_values import Value, lock, value_of
from members.domain.moves import lock_members
from members.domain.traces import Traces, blank_own_rows
from members.enums import CardStatus, ConsentSource, HoldStatus, Purpose, Role
from members.models import (
    Card,
    Coupon,
    CouponState,
    Erasure,
    ErasureStatus,
    Hold,
    Member,
    MemberStatus,
    PhoneChange,
    PhoneChangeStatus,
    Staff,
    Store,
    Transfer,
    TransferStatus,
)
from members.refusals import Refused


class ErasureForbidden(Refused):
    """A manager or owner erases, and says why."""

    code = "erasure_forbidden"
    field = "reason"


class ErasureBlocked(Refused):
    """Something of the member is under way. `facts["what"]` lists it in words."""

    code = "erasure_blocked"


class ValueLeft(Refused):
    """The member still holds value: pay it out, or give it up knowingly. `facts["value"]` says how much."""

    code = "value_left"
    field = "forfeits_value"


class ErasureEnded(Refused):
    """The wish was withdrawn, or the member is erased."""

    code = "erasure_ended"


@dataclass(frozen=True)
class Preview:
    """What would be given up, and what has to be ended first."""

    value: Value
    blocked_by: list[str]


def preview(member: Member, at: datetime) -> Preview:
    return Preview(value_of(member, at), _under_way(member))


def wish_of(member: Member) -> Erasure | None:
    """The open wish of this member, if there is one."""
    return Erasure.objects.filter(member=member, status=ErasureStatus.ASKED).first()


@transaction.atomic
def ask(*, actor: Actor, at: datetime, member: Member) -> Erasure:
    """The member wishes to be forgotten; staff in charge confirm it. Asked again it is the same wish. Audited."""
    if not lock_members([member]):
        raise NotCurrent(_("This member was merged into another, or erased."))
    wish, is_new = Erasure.objects.get_or_create(
        member=member, status=ErasureStatus.ASKED, defaults={"store": member.home_store, "asked_at": at}
    )
    if is_new:
        audit.write(actor=actor, verb="erasure_asked", subject=member, store=member.home_store, at=at)
    return wish


def withdraw(*, at: datetime, wish: Erasure) -> None:
    """The member's second thought. Raises ErasureEnded."""
    open_wish = Erasure.objects.filter(pk=wish.pk, status=ErasureStatus.ASKED)
    if not open_wish.update(status=ErasureStatus.WITHDRAWN, ended_at=at):
        raise ErasureEnded(_("This is over already."))


def erase(
    *,
    actor: Actor,
    at: datetime,
    store: Store,
    member: Member,
    reason: str = "",
    forfeits_value: bool = False,
) -> Erasure:
    """Forget a member, and those merged into them. Cannot be undone. Audited. Done again it stays as it was.

    Locks the member and those merged into them in id order, the wish, then the accounts. An open wish of the member
    is reason enough. Value that is left is refused, or given up knowingly: then it leaves by the ledger as expired
    value does. Raises ErasureForbidden, ErasureBlocked, ValueLeft, NotCurrent, ledger.OwnAccount.
    """
    with transaction.atomic():
        held = _locked(member)
        if held.status == MemberStatus.ERASED:
            return Erasure.objects.filter(member=held, status=ErasureStatus.DONE).latest("pk")
        wish = _locked_wish(held)
        lock(actor, held, *held.absorbed.all())
        _check(actor, store, held, reason, wish)  # what was under way at a till is seen now, or comes after
        given_up = _give_up(held, actor, store, at, forfeits_value)
        people = [held, *held.absorbed.select_for_update(of=("self",), no_key=True).order_by("pk")]
        traces = Traces.of(people)
        _close(people, actor, at)
        for person in people:
            _withdraw_consents(person, store, at)
            _forget(person)
        blank_own_rows(people, traces)
        signals.person_erased.send(Member, members=people, traces=traces, at=at)
        done = _done(wish, held, store, actor, given_up, at)
        audit.write(
            actor=actor,
            verb="member_erased",
            subject=held,
            store=store,
            after={"forfeited_minor": given_up, "was_wished": wish is not None},
            at=at,
        )
    member.refresh_from_db()
    return done


def _locked(member: Member) -> Member:
    """The member, and whoever was merged into them: in id order, as the undo of a merge locks both."""
    members = Member.objects.select_for_update(of=("self",), no_key=True).select_related("home_store")
    people = members.filter(Q(pk=member.pk) | Q(merged_into=member)).order_by("pk")
    return next(one for one in people if one.pk == member.pk)


def _locked_wish(member: Member) -> Erasure | None:
    """The open wish: withdrawn before, it is no reason; withdrawn now, the member is told that it is over."""
    wishes = Erasure.objects.select_for_update(no_key=True)
    return wishes.filter(member=member, status=ErasureStatus.ASKED).first()


def _check(actor: Actor, store: Store, member: Member, reason: str, wish: Erasure | None) -> None:
    staff = Staff.objects.filter(pk=actor.staff_id).first() if actor.staff_id else None
    if staff is None or not staff.may(store.pk, Role.MANAGER, Role.OWNER):
        raise ErasureForbidden(_("Only a manager or owner erases a member."))
    if staff.member_id == member.pk or bytes(staff.phone_hash or b"") == bytes(member.phone_hash):
        raise OwnAccount(_("You cannot do this on your own account. Ask a colleague."))
    if not member.is_current:
        raise NotCurrent(_("This member was merged into another, or erased."))
    if wish is None and not reason.strip():
        raise ErasureForbidden(_("The member has not asked for it in the portal. Say why."))
    if what := _under_way(member):
        raise ErasureBlocked(_("End this first: %(what)s.") % {"what": ", ".join(what)}, what=what)


def _under_way(member: Member) -> list[str]:
    proposed = Transfer.objects.filter(status=TransferStatus.PROPOSED)
    found = {
        _("a hold"): Hold.objects.filter(card__member=member, status=HoldStatus.OPEN),
        _("a transfer"): proposed.filter(card__member=member) | proposed.filter(receiver=member),
        _("a phone change"): PhoneChange.objects.filter(member=member, status=PhoneChangeStatus.PENDING),
    }
    return [str(words) for words, rows in found.items() if rows.exists()]


def _give_up(member: Member, actor: Actor, store: Store, at: datetime, is_knowing: bool) -> int:
    """The money given up, principal and bonus. Raises ValueLeft."""
    value = value_of(member, at)
    if value.is_nothing:
        return 0
    if not is_knowing:
        raise ValueLeft(_("There is value left: pay it out first, or give it up knowingly."), value=value)
    forfeiting.forfeit(actor=actor, at=at, store=store, member=member)
    return value.principal_minor + value.bonus_minor


def _close(people: list[Member], actor: Actor, at: datetime) -> None:
    Card.objects.filter(member__in=people, status__in=(CardStatus.ACTIVE, CardStatus.FROZEN)).update(
        status=CardStatus.CLOSED
    )
    still_open = Coupon.objects.filter(
        member__in=people, state__in=(CouponState.ISSUED, CouponState.RESERVED)
    )
    coupons.void_unused(list(still_open), staff_id=actor.staff_id, reason="…", at=at)


def _withdraw_consents(person: Member, store: Store, at: datetime) -> None:
    for purpose in Purpose:
        if getattr(person, f"has_{purpose}_consent"):
            record_consent(
                member=person,
                purpose=purpose,
                is_given=False,
                source=ConsentSource.TILL,
                wording_version="",
                at=at,
                store=store,
            )


def _forget(person: Member) -> None:
    """A pseudonym in place of the person. The hash is of nobody: the one that others keep leads here no more."""
    person.name, person.birthday, person.gender, person.notes, person.tags = "", None, "", "", []
    person.phone, person.phone_hash = f"erased-{person.pk}", secrets.token_bytes(16)
    person.timezone, person.identity_checked_on, person.cooling_until = "", None, None
    if person.status == MemberStatus.ACTIVE:
        person.status = MemberStatus.ERASED
    person.save()


def _done(
    wish: Erasure | None, member: Member, store: Store, actor: Actor, given_up: int, at: datetime
) -> Erasure:
    done = wish or Erasure(member=member, asked_at=at)
    done.store, done.staff_id, done.forfeited_minor = store, actor.staff_id, given_up
    done.status, done.ended_at = ErasureStatus.DONE, at
    done.save()
    return done
