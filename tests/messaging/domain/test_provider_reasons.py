"""What a provider's reason does: it is told, it sets the pause, and an opt-out there is one here."""

from __future__ import annotations

import pytest

from members.domain.enrolment import phone_hash
from messaging.domain.dispatch.answers import settle
from messaging.domain.dispatch.records import Answer
from messaging.enums import MessageClass
from messaging.gateways.base import SubmitResult, reasoned
from messaging.models import Attempt, Suppression
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, hold, main_gateway, message, write

NOTIFICATION, VERIFICATION = MessageClass.NOTIFICATION, MessageClass.VERIFICATION


def result(outcome: str, raw: str, why: Reason, attempt_id: int = 1) -> SubmitResult:
    return reasoned(SubmitResult(attempt_id, outcome, None, raw, (None,)), why)


@pytest.mark.parametrize(
    ("outcome", "why", "message_class", "state", "reason", "waits"),
    [
        ("permanent", Reason.BAD_NUMBER, NOTIFICATION, State.REJECTED, Reason.BAD_NUMBER, None),
        ("permanent", Reason.NO_TEMPLATE, NOTIFICATION, State.REJECTED, Reason.NO_TEMPLATE, None),
        ("permanent", Reason.NONE, NOTIFICATION, State.REJECTED, Reason.UNSENDABLE, None),
        ("retry", Reason.QUIET_HOURS, NOTIFICATION, State.RETRY_WAIT, Reason.QUIET_HOURS, (1800, 2160)),
        ("retry", Reason.PROVIDER_LIMIT, NOTIFICATION, State.RETRY_WAIT, Reason.PROVIDER_LIMIT, (60, 72)),
        ("retry", Reason.PROVIDER_LIMIT, VERIFICATION, State.RETRY_WAIT, Reason.PROVIDER_LIMIT, (4, 6)),
        ("retry", Reason.NONE, NOTIFICATION, State.RETRY_WAIT, Reason.GATEWAY_REFUSED, (4, 6)),
        ("stop_bind", Reason.ACCOUNT_STOPPED, NOTIFICATION, State.RETRY_WAIT, Reason.ACCOUNT_STOPPED, (4, 6)),
    ],
)
def test_the_reason_is_told_and_sets_the_pause(outcome, why, message_class, state, reason, waits):
    decided = settle(result(outcome, "isv.X", why), message_class, 1)

    assert (decided.state, decided.reason) == (state, reason)
    if waits is None:
        assert decided.wait_seconds is None
    else:
        assert waits[0] <= decided.wait_seconds <= waits[1]


def test_a_result_with_a_reason_is_the_same_result():
    plain = SubmitResult(1, "permanent", None, "isv.X", (None,))

    assert reasoned(plain, Reason.NONE) is plain
    assert reasoned(plain, Reason.BAD_NUMBER) == plain
    assert (plain.reason, reasoned(plain, Reason.BAD_NUMBER).reason) == (Reason.NONE, Reason.BAD_NUMBER)


class TestOptedOutThere:
    @pytest.fixture
    def db(self, committed_db):
        """Committed: the desk has its own connections."""

    @pytest.fixture
    def claimed(self, db, li_lei):
        main_gateway()
        lease = hold()
        message(li_lei, NOTIFICATION, NOON)
        (claimed,) = claim_now(lease, NOON).claimed
        return lease, claimed

    def refuse(self, claimed, why):
        lease, told = claimed
        write(lease, [Answer(result("permanent", "21610", why, told.attempt_id), NOTIFICATION, 1)])

    def test_is_opted_out_here(self, claimed, li_lei):
        self.refuse(claimed, Reason.OPTED_OUT)
        self.refuse(claimed, Reason.OPTED_OUT)

        suppression = Suppression.objects.get()
        assert bytes(suppression.phone_hash) == phone_hash(li_lei.phone)
        assert (suppression.scope, suppression.source, suppression.lifted_at) == (
            "marketing",
            "provider",
            None,
        )
        assert Attempt.objects.get().raw_status == "21610"

    def test_another_no_suppresses_nobody(self, claimed):
        self.refuse(claimed, Reason.BAD_NUMBER)

        assert not Suppression.objects.exists()
