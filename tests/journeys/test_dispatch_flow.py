"""Texts leave, answers come back: the gateway process with a real carrier."""

from __future__ import annotations

import time
from collections import Counter
from zoneinfo import ZoneInfo

from members.models import Member, Store
from messaging.enums import MessageClass
from messaging.models import Attempt, Gateway, Handover, Message, Receipt, Suppression
from messaging.states import Reason, State
from tests.journeys.dispatch_stage import (
    crowd,
    open_gateway,
    queue,
    states,
    throw_gateways_out_of_the_database,
    wait_for,
    zone_where_it_is,
)

NOTIFICATION = MessageClass.NOTIFICATION


def test_a_text_reaches_the_phone_and_its_receipt_comes_back(carrier, gateways, li_lei: Member):
    gateway = open_gateway(carrier)
    gateways.start()
    wait_for(lambda: Gateway.objects.get().bind_state == "bound", 20, "the bind")

    queue([li_lei], NOTIFICATION)
    wait_for(lambda: states() == {State.DELIVERED: 1}, 20, "the receipt")

    (entry,) = carrier.accepted()
    assert (entry["to"], entry["from"]) == ("8613800138000", gateway.sender)
    assert Attempt.objects.get().outcome == "accepted"
    assert Receipt.objects.get().matched_at is not None


def test_a_long_text_is_delivered_when_all_its_parts_are(carrier, gateways, li_lei: Member):
    open_gateway(carrier)
    gateways.start()
    text = "【常客】" + "储值卡余额变动提醒" * 12

    queue([li_lei], NOTIFICATION, text=text, encoding="UCS-2", parts=2)
    wait_for(lambda: states() == {State.DELIVERED: 1}, 8, "both receipts")

    parts = sorted(carrier.accepted(), key=lambda entry: entry["part"])  # it answers in threads
    assert [(part["part"], part["parts"]) for part in parts] == [(1, 2), (2, 2)]
    assert "".join(part["text"] for part in parts) == text


def test_marketing_waits_for_the_permitted_hours_at_the_gate(carrier, gateways, li_lei: Member):
    open_gateway(carrier)
    midnight = zone_where_it_is(0)
    queue([li_lei])  # let through by the outbox: it is noon
    Message.objects.update(timezone=midnight)  # and then she has flown away

    gateways.start()
    wait_for(lambda: Message.objects.get().reason == Reason.QUIET_HOURS, 20, "the gate")

    message = Message.objects.get()
    assert message.state == State.QUEUED
    assert message.due_at.astimezone(ZoneInfo(midnight)).strftime("%H:%M") == "09:00"
    assert carrier.accepted() == []


def test_a_code_does_not_wait_behind_a_campaign(carrier, gateways, riverside: Store, li_lei: Member):
    carrier.post("/api/carrier", answer_delay_ms=20)
    open_gateway(carrier, window=10)
    queue(crowd(riverside, 3000))
    gateways.start()
    wait_for(lambda: len(carrier.accepted()) > 20, 10, "the campaign")

    asked_at = time.time()
    queue([li_lei], MessageClass.VERIFICATION, run=2)
    code = wait_for(lambda: [e for e in carrier.accepted() if e["to"] == "8613800138000"], 20, "the code")[0]

    assert code["at"] - asked_at < 2
    assert State.QUEUED in states(), "the campaign was still going"


def test_one_half_of_the_window_is_claimed_while_the_other_is_answered(carrier, gateways, riverside: Store):
    open_gateway(carrier, window=40)
    queue(crowd(riverside, 400))
    gateways.start()
    wait_for(lambda: states() == {State.DELIVERED: 400}, 20, "the campaign")

    sizes = [handover.last_attempt - handover.first_attempt + 1 for handover in Handover.objects.all()]
    assert sum(sizes) == 400
    assert max(sizes) == 20


def test_a_throttling_carrier_slows_us_down_and_loses_nothing(carrier, gateways, riverside: Store):
    carrier.post("/api/carrier", throttle=True)
    open_gateway(carrier)
    queue(crowd(riverside, 200))
    gateways.start()
    wait_for(lambda: Attempt.objects.filter(outcome="throttle").exists(), 20, "the refusal")
    time.sleep(2)
    tries = Attempt.objects.count()

    carrier.post("/api/carrier", throttle=False)
    wait_for(lambda: states() == {State.DELIVERED: 200}, 20, "all receipts")

    assert tries < 100, "no hammering: a full window, then one message a second"
    assert len(carrier.accepted()) == 200


def test_a_rate_cap_holds_in_every_sliding_second(carrier, gateways, riverside: Store):
    open_gateway(carrier, rate=40)
    queue(crowd(riverside, 120))
    gateways.start()
    wait_for(lambda: len(carrier.accepted()) == 120, 10, "the last text")

    times = sorted(entry["at"] for entry in carrier.accepted())
    most = max(sum(1 for t in times if start <= t < start + 0.98) for start in times)
    assert most <= 41
    assert times[-1] - times[0] > 1.8, "three seconds' worth, the first at once"


def test_killed_in_the_middle_of_5000_nothing_is_lost_and_no_marketing_comes_twice(
    carrier, gateways, riverside: Store
):
    open_gateway(carrier)
    queue(crowd(riverside, 5000))
    for texts in (800, 2500):
        process = gateways.start()
        wait_for(lambda texts=texts: len(carrier.accepted()) >= texts, 25, f"{texts} texts")
        gateways.kill(process)
    gateways.start()

    wait_for(lambda: set(states()) <= {State.DELIVERED, State.UNCERTAIN}, 25, "the end")

    times_on_the_air = Counter(entry["to"] for entry in carrier.accepted())
    assert [to for to, times in times_on_the_air.items() if times > 1] == []
    delivered = set(Message.objects.filter(state=State.DELIVERED).values_list("phone", flat=True))
    in_doubt = set(Message.objects.filter(state=State.UNCERTAIN).values_list("phone", flat=True))
    assert len(delivered | in_doubt) == 5000, "every text is delivered, or visibly in doubt"
    assert len(in_doubt) <= 2 * 50, "no more than a window for each kill"
    assert {f"+{to}" for to in times_on_the_air} >= delivered


def test_a_database_that_throws_everybody_out_costs_nothing(carrier, gateways, riverside: Store):
    open_gateway(carrier)
    queue(crowd(riverside, 1500))
    gateways.start()
    for texts in (200, 600):
        wait_for(lambda texts=texts: len(carrier.accepted()) >= texts, 10, f"{texts} texts")
        throw_gateways_out_of_the_database()

    wait_for(lambda: states() == {State.DELIVERED: 1500}, 20, "all receipts")

    assert Counter(Counter(entry["to"] for entry in carrier.accepted()).values()) == {1: 1500}


def test_two_processes_and_two_gateways_share_and_send_nothing_twice(carrier, gateways, riverside: Store):
    open_gateway(carrier, name="First")
    open_gateway(carrier, name="Second")
    gateways.start()
    gateways.start()
    wait_for(lambda: Gateway.objects.filter(bind_state="bound").count() == 2, 8, "both binds")

    queue(crowd(riverside, 1000))
    wait_for(lambda: states() == {State.DELIVERED: 1000}, 15, "all receipts")

    assert Counter(Counter(entry["to"] for entry in carrier.accepted()).values()) == {1: 1000}
    assert Attempt.objects.values("gateway").distinct().count() == 2


def test_a_wished_stop_leaves_nothing_in_doubt(carrier, gateways, riverside: Store):
    carrier.post("/api/carrier", answer_delay_ms=100)
    open_gateway(carrier)
    queue(crowd(riverside, 2000))
    process = gateways.start()
    wait_for(lambda: len(carrier.accepted()) > 100, 8, "some texts")

    assert gateways.stop(process) == 0

    assert not {State.UNCERTAIN, State.SUBMITTING} & set(states())
    gateway = Gateway.objects.get()
    assert (gateway.bind_state, gateway.lease_until) == ("off", None)
    assert Attempt.objects.filter(outcome="accepted").count() == len(carrier.accepted())


def test_a_gateway_switched_off_stops_and_switched_on_goes_on(carrier, gateways, li_lei: Member):
    open_gateway(carrier)
    gateways.start()
    wait_for(lambda: Gateway.objects.get().bind_state == "bound", 20, "the bind")

    Gateway.objects.update(is_active=False)
    wait_for(lambda: Gateway.objects.get().bind_state == "off", 8, "the unbind")
    queue([li_lei], NOTIFICATION)
    Gateway.objects.update(is_active=True)

    wait_for(lambda: states() == {State.DELIVERED: 1}, 8, "the text")


def test_a_port_where_nobody_listens_is_told_to_the_owner(carrier, gateways):
    carrier.stop()
    open_gateway(carrier)
    gateways.start()

    wait_for(lambda: Gateway.objects.get().bind_state == "waiting", 20, "the state")

    assert "cannot be reached" in Gateway.objects.get().last_error


def test_stop_from_a_handset_keeps_the_next_promotion_away_and_the_balance_still_comes(
    carrier, gateways, loaded_card, li_lei: Member
):
    open_gateway(carrier)
    gateways.start()
    queue([li_lei])
    wait_for(lambda: states() == {State.DELIVERED: 1}, 20, "the promotion")

    carrier.post("/api/handsets/8613800138000/reply", text="STOP")
    wait_for(lambda: Suppression.objects.exists(), 20, "the opt-out")
    queue([li_lei], run=2)
    carrier.post("/api/handsets/8613800138000/reply", text="balance?")
    wait_for(lambda: states().get(State.DELIVERED) == 3, 20, "two answers")

    _, confirmation, balance = [
        text["text"] for text in carrier.thread("8613800138000") if text["direction"] == "in"
    ]
    assert "no more marketing" in confirmation
    assert "500.00" in balance
    assert Message.objects.get(cause_id=2, cause="run").reason in (Reason.NO_CONSENT, Reason.OPTED_OUT)
    li_lei.refresh_from_db()
    assert li_lei.has_marketing_consent is False
