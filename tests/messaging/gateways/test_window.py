"""Sequence numbers and time."""

from messaging.gateways.base import OutboundSms
from messaging.gateways.window import SEQUENCE_MAX, Window


def sms(number):
    return OutboundSms(number, number, "+8613800138000", "SHOP", ("hi",), "GSM-7")


def test_entries_expire_in_the_order_they_were_written_also_when_numbers_wrap():
    window = Window(10, timeout_seconds=30)
    window._next = SEQUENCE_MAX - 1
    for number in (1, 2, 3):
        window.pending[window.next_sequence()] = sms(number)
    assert list(window.pending) == [SEQUENCE_MAX - 1, SEQUENCE_MAX, 1]

    assert window.expire(now=100) == []
    window.pending[window.next_sequence()] = sms(4)  # written after the mark
    assert window.expire(now=129) == []
    assert [entry.attempt_id for entry in window.expire(now=130)] == [1, 2, 3]
    assert [entry.attempt_id for entry in window.pending.values()] == [4]
    assert [entry.attempt_id for entry in window.expire(now=159)] == [4]


def test_a_late_answer_finds_its_entry_once():
    window = Window(10, timeout_seconds=1)
    sequence = window.next_sequence()
    window.pending[sequence] = sms(1)
    window.expire(now=0)
    window.expire(now=1)

    assert window.take_late(sequence).attempt_id == 1
    assert window.take_late(sequence) is None
