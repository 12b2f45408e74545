"""What somebody texted is read before they are sent an offer: it may say what no grammar understood."""

from __future__ import annotations

import pytest

from members.models import AuditEntry
from messaging.domain import conversations, outbox
from messaging.domain.explaining import Says, explain
from messaging.enums import Cause, MessageClass
from messaging.models import Conversation, Message
from messaging.states import GATES, Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, hold, message
from tests.messaging.domain.test_inbound import is_suppressed, says  # noqa: F401
from tests.messaging.test_outbox import draft

UNHEARD_OF = "stawp 😭😭 too many"


@pytest.fixture
def offer(li_lei):
    """`offer(2)`: the second offer to Li Lei goes to the outbox."""

    def write(number: int = 1) -> Message:
        [told] = outbox.enqueue([draft(li_lei, cause=Cause.RUN, cause_id=number)], at=NOON)
        return Message.objects.get(pk=told.message_id)

    return write


def test_no_offer_goes_out_until_somebody_has_read_it(says, offer):  # noqa: F811
    says(UNHEARD_OF)

    unread = offer(1)
    conversations.mark_read(conversation=Conversation.objects.get())
    read = offer(2)

    assert (unread.state, unread.reason, unread.gates) == (
        State.SUPPRESSED,
        Reason.UNREAD,
        GATES[Reason.UNREAD],
    )
    assert (read.state, read.reason) == (State.QUEUED, "")


def test_service_texts_go_on(says, li_lei):  # noqa: F811
    says(UNHEARD_OF)

    [told] = outbox.enqueue([draft(li_lei, message_class=MessageClass.NOTIFICATION)], at=NOON)

    assert told.state == State.QUEUED


def test_a_person_who_reads_it_so_ends_the_offers(says, li_lei, mei, offer):  # noqa: F811
    says(UNHEARD_OF)

    conversations.stop_offers(conversation=Conversation.objects.get(), by=mei, at=NOON)

    li_lei.refresh_from_db()
    assert is_suppressed(li_lei.phone)
    assert not li_lei.has_marketing_consent
    assert AuditEntry.objects.get(verb="conversation_done").after == {
        "concern": "question",
        "marketing": "stopped",
    }
    assert offer().reason in (Reason.NO_CONSENT, Reason.OPTED_OUT)


def test_it_is_said_for_one_member_and_in_which_gate(says, li_lei, riverside):  # noqa: F811
    says(UNHEARD_OF)

    said = explain(member=li_lei, store=riverside, at=NOON)

    assert [gate.key for gate in said.noes] == ["unread"]
    assert next(gate for gate in said.gates if gate.key == "opted_out").says == Says.YES


class TestAtTheWire:
    @pytest.fixture
    def db(self, committed_db: None) -> None:
        """Committed: the desk has its own connections."""

    def test_an_offer_on_its_way_is_stopped(self, db, says, li_lei):  # noqa: F811
        lease = hold()
        text = message(li_lei, MessageClass.MARKETING, NOON, run=1)
        says(UNHEARD_OF)

        claimed = claim_now(lease, NOON).claimed

        text.refresh_from_db()
        assert claimed == []
        assert (text.state, text.reason) == (State.SUPPRESSED, Reason.UNREAD)
