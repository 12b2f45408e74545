"""Two rows of one person become one: value moves by the ledger, the rest is handed over, and there is a way back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members.domain import imports, merging, transfers
from members.domain.cards import open_card, recharge_card
from members.domain.closing import close_card
from members.domain.deeds import CardNotUsable, NotOffered
from members.domain.earning import Award
from members.domain.holds import authorise
from members.domain.ledger import Actor, NotCurrent, OwnAccount, TenderPaid
from members.domain.merge_values import MergeUsed, value_of
from members.domain.merging import MergeBlocked, MergeForbidden, MergeOver, SameMember, merge, undo
from members.domain.phone_changes import change_phone
from members.domain.points import earn_points
from members.domain.rewards import RewardLimitReached, redeem_points
from members.domain.spending import spend
from members.domain.verify import verify
from members.enums import CardStatus, ConsentSource, TenderType
from members.models import (
    AuditEntry,
    Card,
    Entry,
    Lot,
    Member,
    MemberStatus,
    Merge,
    Purchase,
    RechargePlan,
    Reward,
)
from messaging.domain import suppressions
from messaging.models import Suppression
from tests.conftest import NOON


@pytest.fixture
def in_charge(mei) -> Actor:
    return Actor(scope=f"staff:{mei.pk}", staff_id=mei.pk)


@pytest.fixture
def double(enrol) -> Member:
    """Li Lei once more, under another number, without a word on marketing."""
    return enrol("13700137000", name="Lei Li", language="en", marketing=False, tags=["window seat"])


@pytest.fixture
def their_card(double, at_till, riverside, product) -> Card:
    """The double's card: 300 of principal with 100 of bonus, and 100 of it spent."""
    card, _ = open_card(actor=at_till, key="open2", at=NOON, store=riverside, member=double, product=product)
    plan = RechargePlan.objects.create(
        name="300+100", pay_minor=30000, bonus_minor=10000, bonus_valid_days=90
    )
    recharge_card(
        actor=at_till,
        key="recharge2",
        at=NOON,
        store=riverside,
        card=card,
        tender=TenderPaid(TenderType.CASH, 30000),
        plan=plan,
    )
    spend(actor=at_till, key="spend2", at=NOON, store=riverside, card=card, amount_minor=10000)
    return card


@pytest.fixture
def join(in_charge, riverside, li_lei, double):
    def _join(
        *,
        key: str = "m1",
        actor: Actor = in_charge,
        at=NOON,
        kept=li_lei,
        merged=double,
        reason="Same person",
    ):
        return merge(actor=actor, key=key, at=at, store=riverside, kept=kept, merged=merged, reason=reason)

    return _join


def held(member: Member) -> tuple[int, int, int]:
    value = value_of(member, NOON)
    return value.principal_minor, value.bonus_minor, value.points


def sound() -> bool:
    return not verify().faults


def test_value_moves_by_entries_to_a_new_card_and_the_old_one_is_replaced(
    join, li_lei, double, their_card, loaded_card
):
    before = {lot.account.kind: (lot.source_id, lot.expires_at, lot.terms) for lot in their_lots(their_card)}
    entries = set(Entry.objects.values_list("pk", "account_id"))

    done = join()

    assert held(double) == (0, 0, 0)
    assert held(li_lei) == (50000 + 22500, 7500, 100)
    new = done.moves.get().new_card
    assert (new.member_id, new.replaces_id, new.status) == (li_lei.pk, their_card.pk, CardStatus.ACTIVE)
    assert Card.objects.get(pk=their_card.pk).status == CardStatus.REPLACED
    assert {lot.account.kind: (lot.source_id, lot.expires_at, lot.terms) for lot in their_lots(new)} == before
    assert entries <= set(Entry.objects.values_list("pk", "account_id"))
    assert sound()


def their_lots(card: Card):
    return Lot.objects.filter(account__card=card, remaining__gt=0).select_related("account")


def test_what_was_paid_for_the_part_that_moves_moves_with_it(join, their_card):
    done = join()

    principal = their_lots(done.moves.get().new_card).get(account__kind="principal")
    assert (principal.original, principal.paid_minor) == (22500, 22500)


def test_purchases_facts_tags_and_the_stricter_consent_are_handed_over(join, li_lei, double, their_card):
    join()

    fresh = Member.objects.select_related("facts").get(pk=li_lei.pk)
    assert (fresh.facts.visits, fresh.facts.spend_minor) == (1, 10000)
    assert fresh.facts.last_visit_at == NOON
    assert Purchase.objects.get().member_id == li_lei.pk
    assert fresh.tags == ["window seat"]
    assert (fresh.has_service_consent, fresh.has_marketing_consent) == (True, False)


def test_the_merged_member_is_found_nowhere_and_gets_no_new_card(join, double, at_till, riverside, product):
    join()

    fresh = Member.objects.get(pk=double.pk)
    assert (fresh.status, Member.objects.current().filter(pk=double.pk).exists()) == (
        MemberStatus.MERGED,
        False,
    )
    with pytest.raises(NotCurrent):
        open_card(actor=at_till, key="again", at=NOON, store=riverside, member=fresh, product=product)


def test_a_spend_from_the_old_card_is_refused(join, their_card, at_till, riverside):
    join()

    stale = Card.objects.select_related("member", "product").get(pk=their_card.pk)
    with pytest.raises(CardNotUsable):
        spend(actor=at_till, key="late", at=NOON, store=riverside, card=stale, amount_minor=100)


def test_undo_gives_everything_back(join, in_charge, riverside, li_lei, double, their_card, loaded_card):
    mine, theirs = held(li_lei), held(double)
    done = join()

    undo(actor=in_charge, at=NOON + timedelta(days=6), store=riverside, done=done)

    assert (held(li_lei), held(double)) == (mine, theirs)
    assert Card.objects.get(pk=their_card.pk).status == CardStatus.ACTIVE
    assert done.moves.get().new_card.status == CardStatus.CLOSED
    kept, other = Member.objects.get(pk=li_lei.pk), Member.objects.select_related("facts").get(pk=double.pk)
    assert (other.status, other.merged_into_id, other.facts.visits) == (MemberStatus.ACTIVE, None, 1)
    assert (kept.tags, kept.has_marketing_consent, kept.facts.visits) == ([], True, 0)
    assert Purchase.objects.get().member_id == double.pk
    assert sound()


def test_after_an_undo_the_two_can_be_merged_again(join, in_charge, riverside, li_lei, double, their_card):
    undo(actor=in_charge, at=NOON, store=riverside, done=join(key="m1"))

    join(key="m2")

    assert held(double) == (0, 0, 0)
    assert held(li_lei)[0] == 22500
    assert sound()


def test_undone_twice_it_is_undone_once(join, in_charge, riverside, double, their_card):
    done = join()

    undo(actor=in_charge, at=NOON, store=riverside, done=done)
    undo(actor=in_charge, at=NOON, store=riverside, done=done)

    assert held(double)[0] == 22500


def test_what_was_spent_since_cannot_be_taken_apart(join, in_charge, riverside, at_till, their_card):
    done = join()
    card = Card.objects.select_related("member", "product").get(pk=done.moves.get().new_card_id)
    spend(actor=at_till, key="after", at=NOON, store=riverside, card=card, amount_minor=1)

    with pytest.raises(MergeUsed):
        undo(actor=in_charge, at=NOON, store=riverside, done=done)


def test_after_seven_days_there_is_no_undo(join, in_charge, riverside):
    done = join()

    with pytest.raises(MergeOver):
        undo(actor=in_charge, at=NOON + timedelta(days=7), store=riverside, done=done)


def test_an_open_hold_is_ended_first(join, at_till, riverside, their_card):
    card = Card.objects.select_related("member", "product").get(pk=their_card.pk)
    authorise(
        actor=at_till,
        key="h",
        at=NOON,
        store=riverside,
        card=card,
        amount_minor=100,
        until=NOON + timedelta(hours=1),
    )

    with pytest.raises(MergeBlocked) as refused:
        join()
    assert refused.value.facts["what"] == ["a hold"]


def test_an_open_transfer_and_a_phone_change_are_ended_first(
    join, in_charge, at_till, riverside, their_card, double, li_lei
):
    transfers.propose(
        is_confirmed=True,
        actor=at_till,
        key="t",
        at=NOON,
        store=riverside,
        card=their_card,
        receiver=li_lei,
        amount_minor=100,
    )
    change_phone(
        actor=in_charge, key="p", at=NOON, store=riverside, member=double, phone="13600136000", reason="Lost"
    )

    with pytest.raises(MergeBlocked) as refused:
        join()
    assert refused.value.facts["what"] == ["a transfer", "a phone change"]


def test_a_cashier_does_not_merge(join, at_till):
    with pytest.raises(MergeForbidden):
        join(actor=at_till)


def test_a_merge_needs_a_reason(join):
    with pytest.raises(MergeForbidden):
        join(reason="  ")


def test_a_member_is_not_merged_into_itself(join, li_lei):
    with pytest.raises(SameMember):
        join(merged=li_lei)


def test_a_merged_member_is_not_merged_again(join):
    join(key="m1")

    with pytest.raises(NotCurrent):
        join(key="m2")


def test_nobody_merges_their_own_account(join, mei, double):
    mei.member = double
    mei.save()

    with pytest.raises(OwnAccount):
        join()


def test_the_same_key_is_the_same_merge_and_it_is_in_the_log(join, their_card):
    assert join().pk == join().pk

    assert Merge.objects.count() == 1
    assert AuditEntry.objects.filter(verb="member_merged").count() == 1


def test_a_chain_of_merges_leads_to_the_last_one(join, enrol, li_lei, double):
    third = enrol("13600136000", name="L. Lei")
    join(key="m1", kept=double, merged=third)
    join(key="m2")

    assert Member.objects.get(pk=third.pk).merged_into_id == li_lei.pk


def test_the_preview_tells_what_would_move(li_lei, double, their_card):
    seen = merging.preview(kept=li_lei, merged=double, at=NOON)

    assert (seen.value.principal_minor, seen.value.bonus_minor, seen.value.points) == (22500, 7500, 100)
    assert ([card.pk for card in seen.cards], seen.purchases, list(seen.blocked_by)) == (
        [their_card.pk],
        1,
        [],
    )


def test_an_import_of_the_merged_number_means_the_one_who_was_kept(join, riverside, li_lei, double):
    join()

    preview = imports.triage_members(
        imports.read_bytes(b"phone,tags\n13700137000,VIP\n"), store=riverside, at=NOON
    )
    imports.apply(preview, actor=Actor("staff:1"), at=NOON)

    assert Member.objects.get(pk=li_lei.pk).tags == ["window seat", "VIP"]
    assert Member.objects.get(pk=double.pk).tags == ["window seat"]
    assert Member.objects.count() == 2


def test_an_import_of_purchases_again_after_a_merge_changes_nothing(join, riverside, li_lei, double):
    text = f"member_no,at,amount\n{double.member_no},2026-11-01 12:00,30.00\n".encode()

    def bring() -> dict[str, int]:
        preview = imports.triage_purchases(imports.read_bytes(text), store=riverside, at=NOON)
        return imports.apply(preview, actor=Actor("staff:1"), at=NOON).buckets

    assert bring()["new"] == 1
    join()

    assert (bring()["unchanged"], Purchase.objects.get().member_id) == (1, li_lei.pk)


def test_what_the_merged_number_refused_the_kept_one_refuses(join, li_lei, double):
    suppressions.suppress(bytes(double.phone_hash), ConsentSource.TEXT, at=NOON)

    join()

    standing = Suppression.objects.filter(lifted_at=None)
    assert {bytes(one.phone_hash) for one in standing} == {bytes(li_lei.phone_hash), bytes(double.phone_hash)}


def test_what_one_person_may_take_once_is_not_taken_again_by_a_merge(
    join, at_till, riverside, card, double, their_card
):
    mug = Reward.objects.create(name="Mug", points=10, per_member_max=1)
    redeem_points(actor=at_till, key="mug", at=NOON, store=riverside, card=their_card, reward=mug)
    first = RechargePlan.objects.create(name="Welcome", pay_minor=10000, bonus_minor=5000, is_first_only=True)
    join()
    common = {"actor": at_till, "at": NOON, "store": riverside, "card": card}

    with pytest.raises(NotOffered):
        recharge_card(key="again", tender=TenderPaid(TenderType.CASH, 10000), plan=first, **common)
    with pytest.raises(RewardLimitReached):
        redeem_points(key="mug-2", reward=mug, **common)


def test_undo_leaves_the_card_alone_that_points_came_by(
    join, in_charge, at_till, riverside, li_lei, double, loaded_card, product
):
    common = {"actor": at_till, "at": NOON, "store": riverside}
    gone, _ = open_card(key="gone", member=double, product=product, **common)
    close_card(key="end", card=gone, **common)
    award = Award(20, why={"by": "extra", "rule": "Gift"})
    earn_points(key="gift", member=double, awards=[award], **common)
    done = join()
    assert held(li_lei) == (50000, 0, 20)

    undo(actor=in_charge, at=NOON, store=riverside, done=done)

    assert (held(li_lei), held(double)) == ((50000, 0, 0), (0, 0, 20))
    statuses = [Card.objects.get(pk=card.pk).status for card in (loaded_card, gone)]
    assert statuses == [CardStatus.ACTIVE, CardStatus.CLOSED]
    assert sound()
