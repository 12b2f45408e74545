"""The fraud board's questions: what they find, that they find it once, and who may judge it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.reports.fraud import QUESTIONS, THRESHOLDS, look
from members.domain import fraud
from members.domain.cards import recharge_card
from members.domain.ledger import TenderPaid
from members.domain.spending import spend
from members.enums import TenderType
from members.models import AuditEntry, FraudCase, FraudPattern, FraudRule, FraudState
from tests.conftest import NOON

AFTER = NOON + timedelta(days=1)


@pytest.fixture
def credited(at_till, riverside, card):
    """Credit Li Lei's card n times in one day."""

    def _credited(times: int):
        for number in range(times):
            paid = TenderPaid(TenderType.WECHAT, 12345, f"wx-{number}")
            recharge_card(actor=at_till, key=f"r{number}", at=NOON, store=riverside, card=card, tender=paid)

    return _credited


def test_every_pattern_has_its_question_and_thresholds():
    assert set(QUESTIONS) == set(THRESHOLDS) == set(FraudPattern.values)


def test_a_fourth_credit_in_a_day_is_a_case_and_three_are_none(credited, card):
    credited(3)
    assert look(at=AFTER) == []

    credited(4)
    found = look(at=AFTER)

    assert [(one.pattern, one.subject, one.facts["number"]) for one in found] == [
        (FraudPattern.REPEATED_CREDITS, f"card:{card.pk}", 4)
    ]


def test_looking_again_adds_nothing(credited):
    credited(4)

    added = [fraud.record(found=look(at=AFTER), at=AFTER) for _again in range(2)]

    assert added == [1, 0]


def test_a_threshold_of_the_house_is_obeyed(credited):
    FraudRule.objects.create(pattern=FraudPattern.REPEATED_CREDITS, thresholds={"more_than": 5})
    credited(4)

    assert look(at=AFTER) == []


def test_recharged_here_and_spent_there_eight_minutes_later(at_till, riverside, hilltop, card):
    paid = TenderPaid(TenderType.WECHAT, 50000, "wx-1")
    recharge_card(actor=at_till, key="r", at=NOON, store=riverside, card=card, tender=paid)
    later = NOON + timedelta(minutes=8)
    spend(actor=at_till, key="s", at=later, store=hilltop, card=card, amount_minor=45000)

    found = [(one.pattern, one.store_id, one.amount_minor) for one in look(at=AFTER)]

    assert found == [(FraudPattern.ELSEWHERE_AT_ONCE, hilltop.pk, 45000)]


def test_a_case_is_judged_once_with_a_reason_by_somebody_in_charge(credited, chen, mei):
    credited(4)
    fraud.record(found=look(at=AFTER), at=AFTER)
    case = FraudCase.objects.get()

    with pytest.raises(fraud.CaseRefused):
        fraud.judge(case=case, state=FraudState.DISMISSED, note="Fine", by=chen, at=AFTER)
    with pytest.raises(fraud.CaseReasonMissing):
        fraud.judge(case=case, state=FraudState.DISMISSED, note=" ", by=mei, at=AFTER)
    fraud.judge(case=case, state=FraudState.DISMISSED, note="A wedding party", by=mei, at=AFTER)
    fraud.judge(case=case, state=FraudState.CONFIRMED, note="No", by=mei, at=AFTER)

    assert (case.state, case.note, case.decided_by) == (FraudState.DISMISSED, "A wedding party", mei)
    assert AuditEntry.objects.filter(verb="fraud_judged").count() == 1
