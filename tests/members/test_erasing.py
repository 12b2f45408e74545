"""A person who wishes to be forgotten is; the books stay, and a number that refused texts still refuses them."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.db import connection

from campaigns.domain.audiences import Audience
from members.domain import erasing, merging
from members.domain.enrolment import phone_hash
from members.domain.erasing import ErasureBlocked, ErasureEnded, ErasureForbidden, ValueLeft, erase
from members.domain.events import publish
from members.domain.ledger import Actor, NotCurrent, OwnAccount
from members.domain.phone_changes import change_phone
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import CardStatus, ConsentSource
from members.models import (
    AuditEntry,
    Card,
    Entry,
    Erasure,
    ErasureStatus,
    Member,
    MembershipEvent,
    MemberStatus,
    Sharer,
)
from messaging.domain import suppressions
from messaging.domain.outbox import Draft, enqueue
from messaging.enums import Cause, MessageClass
from messaging.models import Message, Suppression
from tests.conftest import NOON

PORTAL = Actor("portal")


@pytest.fixture
def in_charge(mei) -> Actor:
    return Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk)


@pytest.fixture
def forget(in_charge, riverside, li_lei):
    def _forget(
        *, actor: Actor = in_charge, member: Member = li_lei, reason: str = "Wished by letter", **more
    ):
        return erase(actor=actor, at=NOON, store=riverside, member=member, reason=reason, **more)

    return _forget


def texts_with(needle: str) -> list[str]:
    """Every column of every table that holds this text, as table.column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'jsonb', 'ARRAY', 'json')"
        )
        found = []
        for table, column in cursor.fetchall():
            cursor.execute(
                f'SELECT EXISTS (SELECT 1 FROM "{table}" WHERE "{column}"::text ILIKE %s)', [f"%{needle}%"]
            )
            if cursor.fetchone()[0]:
                found.append(f"{table}.{column}")
        return sorted(found)


def test_afterwards_name_and_number_are_nowhere_in_the_database(
    forget, enrol, li_lei, loaded_card, riverside, at_till, in_charge
):
    Member.objects.filter(pk=li_lei.pk).update(
        birthday=date(1990, 5, 1), notes="Li Lei prefers tea", tags=["friend of Li Lei"]
    )
    li_lei.refresh_from_db()
    for number, words in enumerate(("Li Lei, 138 0013 8000", "call +86 138-0013-8000", "13800138000")):
        publish(
            "call_missed",
            member=li_lei,
            store=riverside,
            source="api:phones",
            key=f"call-{number}",
            at=NOON,
            payload={"called": words},
        )
    spend(
        actor=at_till,
        key="lunch of 13800138000",
        at=NOON,
        store=riverside,
        card=loaded_card,
        amount_minor=100,
        note="for Li Lei 13800138000",
    )
    Sharer.objects.create(card=loaded_card, name="Li Lei's wife", phone="13800138000", added_at=NOON)
    _send(li_lei, riverside, "Dear Li Lei, 13800138000")
    assert texts_with("Li Lei") and texts_with("13800138000")

    forget(forfeits_value=True)

    for needle in ("Li Lei", "13800138000", "138 0013 8000", "138-0013-8000", "0013 8000"):
        assert texts_with(needle) == [], needle


def _send(member: Member, store, text: str) -> None:
    enqueue(
        [
            Draft(
                phone=member.phone,
                phone_hash=bytes(member.phone_hash),
                member_id=member.pk,
                store_id=store.pk,
                message_class=MessageClass.TRIGGER,
                text=text,
                encoding="gsm7",
                parts=1,
                cause=Cause.API,
                cause_id=1,
                language="en",
                timezone="Asia/Shanghai",
            )
        ],
        at=NOON,
    )


def test_what_waits_to_be_sent_is_not_sent(forget, li_lei, riverside):
    _send(li_lei, riverside, "Dear Li Lei")

    forget()

    message = Message.objects.get()
    assert (message.state, message.reason) == ("cancelled", "stopped")
    assert (message.text, message.phone) == ("…", f"erased-{message.pk}")


def test_amounts_entries_and_the_proof_of_the_books_stay(forget, li_lei, loaded_card):
    amounts = list(Entry.objects.order_by("pk").values_list("pk", "amount", "balance_after"))

    forget(forfeits_value=True)

    still = list(Entry.objects.order_by("pk").values_list("pk", "amount", "balance_after"))
    assert still[: len(amounts)] == amounts
    assert not verify().faults
    fresh = Member.objects.get(pk=li_lei.pk)
    assert (fresh.status, fresh.name, fresh.member_no) == (MemberStatus.ERASED, "", li_lei.member_no)
    assert Card.objects.get(pk=loaded_card.pk).status == CardStatus.CLOSED


def test_a_number_that_refused_texts_refuses_them_when_it_comes_again(forget, enrol, li_lei):
    suppressions.suppress(bytes(li_lei.phone_hash), ConsentSource.TEXT, at=NOON)

    forget()
    again = enrol("138 0013 8000", name="Somebody")

    standing = Suppression.objects.get(lifted_at=None)
    assert bytes(standing.phone_hash) == bytes(again.phone_hash) == phone_hash("+8613800138000")
    assert again.pk != li_lei.pk


def test_value_left_is_refused_and_named(forget, loaded_card):
    with pytest.raises(ValueLeft) as refused:
        forget()

    assert refused.value.facts["value"].principal_minor == 50000
    assert Member.objects.get(pk=loaded_card.member_id).name == "Li Lei"


def test_given_up_knowingly_it_leaves_by_the_ledger(forget, loaded_card):
    done = forget(forfeits_value=True)

    assert done.forfeited_minor == 50000
    left = Entry.objects.filter(operation__kind="expire").values_list("account_kind", "amount")
    assert sorted(left) == [("breakage", 50000), ("principal", -50000)]


def test_the_members_own_wish_is_reason_enough(forget, li_lei):
    wish = erasing.ask(actor=PORTAL, at=NOON, member=li_lei)

    done = forget(reason="")

    assert (done.pk, done.status) == (wish.pk, ErasureStatus.DONE)


def test_a_wish_is_one_and_can_be_taken_back(forget, li_lei):
    wish = erasing.ask(actor=PORTAL, at=NOON, member=li_lei)
    assert erasing.ask(actor=PORTAL, at=NOON, member=li_lei).pk == wish.pk

    erasing.withdraw(at=NOON, wish=wish)

    with pytest.raises(ErasureEnded):
        erasing.withdraw(at=NOON, wish=wish)
    with pytest.raises(ErasureForbidden):
        forget(reason="")


def test_a_cashier_and_another_system_do_not_erase(forget, at_till):
    for actor in (at_till, Actor("api:partner")):
        with pytest.raises(ErasureForbidden):
            forget(actor=actor)


def test_nobody_erases_their_own_account(forget, mei, li_lei):
    mei.member = li_lei
    mei.save()

    with pytest.raises(OwnAccount):
        forget()


def test_what_is_under_way_is_ended_first(forget, in_charge, riverside, li_lei):
    change_phone(
        actor=in_charge, key="p", at=NOON, store=riverside, member=li_lei, phone="13900139000", reason="Lost"
    )

    with pytest.raises(ErasureBlocked) as refused:
        forget()
    assert refused.value.facts["what"] == ["a phone change"]


def test_erased_twice_is_erased_once(forget, li_lei):
    assert forget().pk == forget().pk
    assert Erasure.objects.count() == 1
    with pytest.raises(NotCurrent):
        erasing.ask(actor=PORTAL, at=NOON, member=Member.objects.get(pk=li_lei.pk))


def test_those_merged_into_the_member_are_forgotten_too(forget, enrol, in_charge, riverside, li_lei):
    double = enrol("13700137000", name="Lei Li")
    merging.merge(
        actor=in_charge, key="m", at=NOON, store=riverside, kept=li_lei, merged=double, reason="Lei Li again"
    )

    forget()

    assert texts_with("Lei Li") == texts_with("13700137000") == []
    assert Member.objects.get(pk=double.pk).status == MemberStatus.MERGED


def test_no_audience_finds_the_person_and_the_events_stay(forget, li_lei, riverside):
    told = MembershipEvent.objects.filter(member=li_lei).count()

    forget()

    assert not Audience().members(riverside, at=NOON).exists()
    assert MembershipEvent.objects.filter(member=li_lei).count() == told > 0


def test_the_log_says_that_it_was_done_and_not_to_whom(forget, li_lei):
    forget()

    entry = AuditEntry.objects.get(verb="member_erased")
    assert (entry.subject, json.dumps(entry.after).count("Li Lei")) == (li_lei.member_no, 0)


def test_an_event_still_refuses_every_other_change(forget, li_lei):
    forget()

    with pytest.raises(Exception, match="append-only"):
        MembershipEvent.objects.filter(member=li_lei).update(type="other")
