"""Which way a text goes: read from the top, by class, number, store and what a gateway can carry; and another way only
when the first has provably not taken it.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils.timezone import now

from messaging.domain import routes, sweeps
from messaging.domain.sweeps import sweep_messages
from messaging.enums import BindState, Cause, GatewayKind, MessageClass, ReportStatus
from messaging.models import Attempt, Gateway, Message, ProviderTemplate, Region, Route
from messaging.states import Reason, State
from tests.conftest import NOON
from tests.messaging.domain.desk import claim_now, hold, message, no, write

VERIFICATION, NOTIFICATION = MessageClass.VERIFICATION, MessageClass.NOTIFICATION
MARKETING = MessageClass.MARKETING


def gateway(name: str, *, is_up: bool = True, **more) -> Gateway:
    """A gateway held by somebody else until tomorrow, or one that has long not been connected."""
    fields = {"kind": GatewayKind.SMPP, "host": "127.0.0.1", "port": 2775, "system_id": "s"} | more
    if is_up:
        fields |= {
            "bind_state": BindState.BOUND,
            "lease_until": NOON + timedelta(days=400),
            "lease_owner": "x",
        }
    return Gateway.objects.create(name=name, state_since=NOON - timedelta(days=1), **fields)


def route(to: Gateway, position: int, **more) -> Route:
    return Route.objects.create(gateway=to, position=position, **more)


def way_of(member, message_class=NOTIFICATION, **more) -> str | None:
    text = message(member, message_class, NOON, **more)
    text.refresh_from_db()
    return text.gateway.name if text.gateway else None


@pytest.fixture
def main(db):
    return gateway("Main")


@pytest.fixture
def spare(db):
    return gateway("Spare")


def test_without_routes_every_gateway_takes_everything(main, spare, li_lei):
    assert way_of(li_lei) is None


def test_the_first_route_that_fits_is_the_way(main, spare, li_lei):
    route(spare, 20)
    route(main, 10)

    assert way_of(li_lei) == "Main"


@pytest.mark.parametrize(
    ("first", "goes_by"),
    [
        ({"classes": ["verification"]}, "Spare"),
        ({"classes": ["verification", "notification"]}, "Main"),
        ({"prefix": "+86"}, "Main"),
        ({"prefix": "+86138"}, "Main"),
        ({"prefix": "+1"}, "Spare"),
        ({"prefix": "+86139"}, "Spare"),
        ({"is_active": False}, "Spare"),
    ],
    ids=str,
)
def test_class_and_number(main, spare, li_lei, first, goes_by):
    route(main, 10, **first)
    route(spare, 20)
    assert li_lei.phone.startswith("+86138")

    assert way_of(li_lei) == goes_by


@pytest.mark.parametrize(
    ("covers", "goes_by"),
    [(["+86", "+852"], "Main"), (["+8613", "+86139"], "Main"), (["+1", "+852"], "Spare")],
    ids=str,
)
def test_a_region_is_any_of_its_beginnings(main, spare, li_lei, covers, goes_by):
    route(main, 10, region=Region.objects.create(name="Ours", covers="-", beginnings=covers))
    route(spare, 20)

    assert way_of(li_lei) == goes_by


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({}, {"prefix": "+86"}),
        ({"prefix": "+86"}, {"prefix": "+86138"}),
        ({"prefix": "+86"}, {"region": ["+86138", "+1"]}),
        ({"region": ["+86"]}, {"prefix": "+8613"}),
        ({"region": ["+86", "+1310123"]}, {"region": ["+861380"]}),
        ({"prefix": "+86", "classes": ["notification"]}, {"prefix": "+86", "store": "theirs"}),
        ({"prefix": "+86"}, {"prefix": "+86", "classes": ["notification"]}),
        ({"classes": ["notification"], "store": "theirs"}, {"prefix": "+8"}),
    ],
    ids=str,
)
def test_in_the_same_place_the_more_particular_route_goes_first(main, spare, li_lei, riverside, less, more):
    for number, (to, fields) in enumerate([(spare, dict(less)), (main, dict(more))]):
        if "region" in fields:
            fields["region"] = Region.objects.create(
                name=f"R{number}", covers="-", beginnings=fields["region"]
            )
        if "store" in fields:
            fields["store"] = riverside
        route(to, 10, **fields)

    assert way_of(li_lei) == "Main"


def test_the_place_counts_before_what_is_more_particular(main, spare, li_lei):
    route(main, 10)
    route(spare, 20, prefix="+86138")

    assert way_of(li_lei) == "Main"


def test_of_routes_that_are_alike_the_older_is_the_way(main, spare, li_lei):
    route(main, 10, prefix="+86")
    route(spare, 10, prefix="+86")

    assert [way_of(li_lei, run=run) for run in (1, 2, 3)] == ["Main"] * 3


def test_a_route_has_a_beginning_or_a_region(main):
    region = Region.objects.create(name="Ours", covers="CN", beginnings=["+86"])

    with pytest.raises(IntegrityError):
        route(main, 10, prefix="+86", region=region)


def test_a_stores_own_route(main, spare, li_lei, riverside, hilltop):
    route(main, 10, store=hilltop)
    route(spare, 20, store=riverside)

    assert way_of(li_lei) == "Spare", "Li Lei is Riverside's"


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"is_active": False}, {}),
        ({"classes": ["marketing"]}, {}),
        ({"has_unicode": False}, {"encoding": "UCS-2"}),
        ({"has_long_texts": False}, {"parts": 2}),
        ({"needs_template": True}, {}),
    ],
    ids=str,
)
def test_a_gateway_that_cannot_carry_it_is_passed_over(spare, li_lei, limits, text):
    route(gateway("Main", **limits), 10)
    route(spare, 20)

    assert way_of(li_lei, **text) == "Spare"


def test_a_gateway_that_sends_by_template_takes_what_has_one_there(spare, li_lei):
    main = gateway("Main", needs_template=True)
    route(main, 10)
    route(spare, 20)
    mirror = ProviderTemplate.objects.create(
        gateway=main, system_text="login_code", language="en", code="SMS_1", status=ReportStatus.SUBMITTED
    )
    assert way_of(li_lei, VERIFICATION, cause=Cause.CODE) == "Spare"

    ProviderTemplate.objects.filter(pk=mirror.pk).update(status=ReportStatus.APPROVED)

    assert way_of(li_lei, VERIFICATION, cause=Cause.CODE, run=2) == "Main"


def test_a_text_no_route_leads_to_is_not_sent_and_says_so(main, li_lei):
    route(main, 10, prefix="+1")

    text = message(li_lei, NOTIFICATION, NOON)

    text.refresh_from_db()
    assert (text.state, text.reason, text.gateway) == (State.SUPPRESSED, Reason.NO_ROUTE, None)


@pytest.mark.parametrize(
    ("message_class", "lost_seconds", "goes_by"),
    [
        (NOTIFICATION, 5, "Main"),
        (NOTIFICATION, 90, "Spare"),
        (VERIFICATION, 5, "Spare"),
        (MARKETING, 90, "Spare"),
    ],
)
def test_a_lost_connection_counts_for_a_minute_but_not_for_a_code(
    spare, li_lei, message_class, lost_seconds, goes_by
):
    main = gateway("Main", is_up=False, bind_state=BindState.WAITING)
    Gateway.objects.filter(pk=main.pk).update(state_since=now() - timedelta(seconds=lost_seconds))
    route(main, 10)
    route(spare, 20)

    assert way_of(li_lei, message_class) == goes_by


def test_with_nobody_connected_the_first_one_keeps_it(li_lei):
    route(gateway("Main", is_up=False), 10)
    route(gateway("Spare", is_up=False), 20)

    assert way_of(li_lei) == "Main"


def test_what_waits_at_a_lost_gateway_is_moved_once_another_is_there(li_lei):
    main, spare = gateway("Main", is_up=False), gateway("Spare", is_up=False)
    route(main, 10)
    route(spare, 20)
    text = message(li_lei, VERIFICATION, NOON)
    assert sweep_messages(at=NOON)["routes"] == 0

    Gateway.objects.filter(pk=spare.pk).update(
        bind_state=BindState.BOUND, lease_until=NOON + timedelta(days=400)
    )
    counts = sweep_messages(at=NOON)

    text.refresh_from_db()
    assert (counts["routes"], text.gateway, text.state) == (1, spare, State.QUEUED)


def test_a_part_that_was_taken_keeps_its_gateway(spare, li_lei):
    main = gateway("Main", is_up=False)
    route(main, 10)
    route(spare, 20)
    text = message(li_lei, NOTIFICATION, NOON, gateway=main)
    attempt = Attempt.objects.create(message=text, number=1, gateway=main, epoch=1, outcome="throttle")
    text.submitted_parts.create(attempt=attempt, gateway=main, part=1, provider_id="x")

    assert sweep_messages(at=NOON)["routes"] == 0


class TestAfterAnAnswer:
    """With the desk's own connections, so on the committed database."""

    @pytest.fixture
    def db(self, committed_db):
        """Committed."""

    @pytest.fixture
    def lease(self, db):
        main = gateway("Main", is_up=False)
        lease = hold()
        Gateway.objects.filter(pk=main.pk).update(bind_state=BindState.BOUND)
        route(main, 10)
        route(gateway("Spare"), 20)
        return lease

    @pytest.mark.parametrize(
        ("outcome", "raw", "goes_by"),
        [
            ("stop_bind", "isv.AMOUNT_NOT_ENOUGH", "Spare"),
            ("not_sent", "not reached", "Main"),
            ("throttle", "0x58", "Main"),
            ("retry", "0x14", "Main"),
        ],
    )
    def test_a_definite_no_of_the_gateways_own_moves_the_text_on(self, lease, li_lei, outcome, raw, goes_by):
        text = message(li_lei, NOTIFICATION, NOON)
        (claimed,) = claim_now(lease, NOON).claimed
        write(lease, [no(claimed.attempt_id, outcome, raw)])

        sweep_messages(at=NOON + timedelta(days=30))  # the pause is over

        text.refresh_from_db()
        assert (text.state, text.gateway.name) == (State.QUEUED, goes_by)

    def test_three_times_too_fast_is_enough(self, lease, li_lei):
        text = message(li_lei, NOTIFICATION, NOON)
        for _round in range(3):
            (claimed,) = claim_now(lease, NOON + timedelta(days=30)).claimed
            write(lease, [no(claimed.attempt_id, "throttle", "0x58", number=claimed.number)])

        text.refresh_from_db()
        assert (text.state, text.gateway.name) == (State.QUEUED, "Spare")

    def test_a_code_without_an_answer_goes_once_more_by_the_second_way(self, lease, li_lei):
        code = message(li_lei, VERIFICATION, NOON, cause=Cause.CODE, text="482915 is your code")
        (claimed,) = claim_now(lease, NOON).claimed
        write(lease, [no(claimed.attempt_id, "uncertain", "timeout", message_class=VERIFICATION)])
        sweep_messages(at=NOON + timedelta(seconds=6))

        code.refresh_from_db()
        assert (code.state, code.gateway.name, code.text) == (State.QUEUED, "Spare", "482915 is your code")
        Attempt.objects.create(message=code, number=2, gateway=code.gateway, epoch=1, outcome="uncertain")
        Message.objects.filter(pk=code.pk).update(state="submitting", attempts=2)
        Message.objects.filter(pk=code.pk).update(state="uncertain")
        sweep_messages(at=NOON + timedelta(seconds=20))
        code.refresh_from_db()
        assert code.state == State.UNKNOWN, "two copies at most"

    def test_marketing_without_an_answer_goes_by_no_other_way(self, lease, li_lei):
        text = message(li_lei, MARKETING, NOON)
        (claimed,) = claim_now(lease, NOON).claimed
        write(lease, [no(claimed.attempt_id, "uncertain", "timeout", message_class=MARKETING)])
        for seconds in (6, 3_600, 80 * 3_600):
            sweep_messages(at=NOON + timedelta(seconds=seconds))

        text.refresh_from_db()
        assert (text.state, text.attempts, text.gateway.name) == (State.UNKNOWN, 1, "Main")

    def test_another_gateways_text_is_not_claimed(self, lease, li_lei):
        Route.objects.filter(position=10).update(classes=["marketing"])
        message(li_lei, NOTIFICATION, NOON)

        assert claim_now(lease, NOON).claimed == []


def test_the_box_says_which_way_and_why_not_the_others(main, spare, riverside):
    down = gateway("Down", is_up=False)
    narrow = gateway("Narrow", has_unicode=False)
    for position, (to, more) in enumerate([(narrow, {}), (down, {}), (main, {"prefix": "+1"}), (spare, {})]):
        route(to, position, **more)

    ways = routes.ways(
        phone="+8613800138000", message_class=NOTIFICATION, store_id=riverside.pk, text="您好", at=NOON
    )

    assert [(way.gateway.name, way.is_chosen, bool(way.why_not)) for way in ways] == [
        ("Narrow", False, True),
        ("Down", False, True),
        ("Spare", True, False),
    ]
    assert "script" in str(ways[0].why_not)
    assert "not connected" in str(ways[1].why_not)


def test_what_has_no_other_way_holds_up_nobody_that_has(spare, li_lei, enrol, monkeypatch):
    main = gateway("Main")
    route(main, 10)
    route(spare, 20, prefix="+86139")
    for run in range(6):
        message(li_lei, NOTIFICATION, NOON, run=run)
    behind = message(enrol("13900139000"), NOTIFICATION, NOON + timedelta(seconds=1), run=7)
    Gateway.objects.filter(pk=main.pk).update(bind_state=BindState.WAITING, state_since=NOON)
    monkeypatch.setattr(sweeps, "ROUND_MAX", 2)

    for _round in range(30):
        sweep_messages(at=NOON + timedelta(minutes=2))

    behind.refresh_from_db()
    assert behind.gateway == spare
