"""What the carriers' words mean."""

import random

import pytest

from messaging.gateways.cmpp.receipts import read_stat, submit_action

LOST, OPEN = ("undelivered", True), ("unknown", False)


@pytest.mark.parametrize(
    ("stat", "verdict"),
    [
        ("DELIVRD", ("delivered", True)),
        ("delivrd", ("delivered", True)),
        ("DELIVRD ", ("delivered", True)),
        ("EXPIRED", LOST),
        ("DELETED", LOST),
        ("UNDELIV", LOST),
        ("REJECTD", LOST),
        ("ACCEPTD", ("accepted", False)),
        ("ENROUTE", ("accepted", False)),
        ("UNKNOWN", OPEN),
        # a step on the way refused, or did not answer
        ("MA:0001", LOST),
        ("MB:0069", LOST),
        ("CA:0054", LOST),
        ("CB:0001", LOST),
        ("DA:0000", LOST),
        ("DB:0141", LOST),
        ("SA:0001", LOST),
        ("SB:0002", LOST),
        ("IA:0053", LOST),
        ("IB:0072", LOST),
        ("ID:0076", LOST),
        ("MI:0024", LOST),
        ("MK:0001", LOST),
        ("MN:0001", LOST),
        ("CJ:0005", LOST),
        ("YX:9999", LOST),
        ("MK:100D", LOST),
        ("-9000", LOST),  # the number moved to another carrier, in one vendor's list
        ("601", LOST),
        ("E:ODDL1", LOST),
        # nobody reported back in time
        ("MC:0055", OPEN),
        ("MC:0000", OPEN),
        ("IC:0151", OPEN),
        # never heard of
        ("", OPEN),
        ("0", OPEN),
        ("000", OPEN),
        ("BLACK", OPEN),
        ("W-BLACK", OPEN),
        ("收到", OPEN),
    ],
)
def test_what_a_stat_means(stat, verdict):
    assert read_stat(stat) == verdict


def test_no_stat_makes_it_fail():
    rng = random.Random(3)
    for _ in range(3_000):
        assert read_stat(rng.randbytes(7).decode("latin-1")).outcome in {
            "delivered",
            "undelivered",
            "accepted",
            "unknown",
        }


@pytest.mark.parametrize(
    ("action", "results"),
    [
        ("accepted", [0]),
        ("throttle", [8]),
        ("retry", [3]),
        ("permanent", [1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 100, 107, 199, 2**32 - 1]),
    ],
)
def test_what_a_result_asks_of_us(action, results):
    assert {result: submit_action(result) for result in results} == dict.fromkeys(results, action)


def test_a_gateways_own_results_are_its_accounts_to_explain():
    own = {"107": "throttle", "8": "retry"}

    assert [submit_action(result, own) for result in (107, 8, 100, 0)] == [
        "throttle",
        "retry",
        "permanent",
        "accepted",
    ]
