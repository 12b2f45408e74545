"""What several parts say together."""

import itertools

import pytest

from messaging.gateways.base import OutboundSms
from messaging.gateways.long_message import LongMessage, settle_all

THREE = OutboundSms(9, 9, "+8613800138000", "SHOP", ("a", "b", "c"), "GSM-7", reference=9)


@pytest.mark.parametrize(
    ("answers", "together", "ids"),
    [
        (("accepted", "accepted", "accepted"), "accepted", ("id0", "id1", "id2")),
        (("accepted", "throttle", "accepted"), "throttle", ("id0", None, "id2")),
        (("accepted", "not_sent", "not_sent"), "not_sent", ("id0", None, None)),
        (("not_sent", "not_sent", "not_sent"), "not_sent", (None, None, None)),
        (("accepted", "retry", "not_sent"), "retry", ("id0", None, None)),
        (("permanent", "retry", "accepted"), "permanent", (None, None, "id2")),
        (("stop_bind", "permanent", "accepted"), "stop_bind", (None, None, "id2")),
        (("permanent", "uncertain", "accepted"), "uncertain", (None, None, "id2")),
    ],
)
def test_the_gravest_part_speaks_in_whatever_order_they_answer(answers, together, ids):
    for order in itertools.permutations(range(3)):
        long_message = LongMessage(THREE, (b"a", b"b", b"c"))
        results = [
            long_message.settle(
                index, answers[index], f"id{index}" if answers[index] == "accepted" else None, answers[index]
            )
            for index in order
        ]

        assert results[:2] == [None, None]
        assert (results[2].outcome, results[2].part_ids, results[2].raw_status) == (together, ids, together)
        assert not results[2].is_late


def test_late_answers_speak_once_when_the_last_doubt_is_gone():
    long_message = LongMessage(THREE, (b"a", b"b", b"c"))
    (first,) = settle_all([(long_message, index) for index in range(3)], "uncertain", "timeout")

    late = [long_message.settle(index, "accepted", f"id{index}", "0x00") for index in range(3)]

    assert (first.outcome, first.is_late) == ("uncertain", False)
    assert late[:2] == [None, None]
    assert (late[2].outcome, late[2].part_ids, late[2].is_late) == ("accepted", ("id0", "id1", "id2"), True)
