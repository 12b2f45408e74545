"""How fast a gateway is fed."""

from messaging.domain.dispatch.pace import Pace


def test_without_a_cap_the_window_decides():
    assert Pace(rate=0, window=50).room(now=0.0, in_flight=20) == 30


def test_a_cap_counts_parts_in_any_sliding_second():
    pace = Pace(rate=10, window=50)

    for moment in [0.0] * 6 + [0.5] * 4:
        pace.sent(moment, 1)

    assert pace.room(1.0, 0) == 0, "the carrier's second, counted where the texts arrive"
    assert pace.room(1.05, 0) == 6
    assert not pace.may_send(1.2, 7)
    assert not pace.may_send(1.5, 10)
    assert pace.may_send(1.55, 10)


def test_a_message_longer_than_the_cap_waits_for_an_empty_second():
    pace = Pace(rate=2, window=50)

    assert pace.may_send(0.0, 5)
    pace.sent(0.0, 5)

    assert not pace.may_send(1.0, 5)
    assert pace.may_send(1.05, 5)


def test_after_a_throttle_it_pauses_then_starts_with_one_and_doubles():
    pace = Pace(rate=0, window=50)

    pace.throttled(10.0)

    assert pace.room(10.5, 0) == 0
    assert pace.room(12.0, 0) == 1
    pace.accepted()
    assert pace.room(12.1, 0) == 2
    for _ in range(10):
        pace.accepted()
    assert pace.room(12.2, 0) == 50


def test_under_a_cap_marketing_asks_for_a_share_of_the_cap_not_of_the_window():
    """Ten a second through a window of a hundred: waiting for a quarter of the window would be for ever."""
    pace = Pace(rate=10, window=100)

    assert (pace.reserve, pace.plenty) == (1, 2)
    assert pace.room(0.0, 5) - pace.reserve >= pace.plenty
    assert (Pace(rate=0, window=50).reserve, Pace(rate=0, window=50).plenty) == (5, 12)
    assert (Pace(rate=500, window=50).reserve, Pace(rate=0, window=1).reserve) == (5, 0)


def test_of_long_texts_no_more_are_claimed_than_a_second_can_carry():
    """Thirty parts at ten a second would keep a code waiting for three."""
    pace = Pace(rate=10, window=50)
    assert pace.room(0.0, 0) == 10, "nobody knows yet how long they are"

    for text in range(20):
        pace.sent(text * 0.3, 3)

    assert pace.room(60.0, 0) == 3
    assert (pace.reserve, pace.plenty) == (1, 1)
    for text in range(30):
        pace.sent(70 + text * 0.1, 1)
    assert pace.room(90.0, 0) == 10, "single ones again"


def test_texts_longer_than_a_second_can_carry_are_claimed_one_by_one():
    pace = Pace(rate=2, window=50)

    for text in range(20):
        pace.sent(text * 3.0, 5)

    assert pace.room(100.0, 0) == 1
    assert pace.room(100.0, 0) - pace.reserve >= pace.plenty, "marketing is not kept out"


def test_without_a_cap_long_texts_are_claimed_as_the_window_allows():
    pace = Pace(rate=0, window=50)

    pace.sent(0.0, 10)

    assert (pace.room(0.1, 0), pace.reserve, pace.plenty) == (50, 5, 12)
