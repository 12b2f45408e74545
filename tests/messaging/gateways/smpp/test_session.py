"""The link on a real socket, against an SMSC that can be told to fail."""

import asyncio

import pytest

from messaging.gateways.base import OutboundSms
from messaging.gateways.smpp.link import BindRefused, LinkDown, SmppSettings, WindowFull
from tests.messaging.gateways.smpp.peers import PHONE, free_port, link_to, receipt, scenario, sms

# ── log-in ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "is_final"), [(0x0D, True), (0x0E, True), (0x0F, True), (0x05, False), (0x08, False)]
)
def test_a_refused_bind_says_why_and_whether_to_try_again(status, is_final):
    async def story(smsc, link, books):
        smsc.bind_status = status
        with pytest.raises(BindRefused) as refused:
            await link.connect()
        assert (refused.value.status, refused.value.is_final) == (status, is_final)
        assert (link.is_up, link.free, books.closed) == (False, 0, [])

        smsc.bind_status = 0
        await link.connect()
        assert link.is_up

    scenario()(story)


def test_silence_after_bind_is_a_link_that_is_down():
    async def story(smsc, link, books):
        smsc.bind_status = None
        with pytest.raises(LinkDown, match="no answer to bind"):
            await link.connect()

    scenario(bind_timeout_seconds=0.1)(story)


def test_no_smsc_at_all():
    async def story():
        link, _ = link_to(free_port())
        with pytest.raises(LinkDown):
            await link.connect()
        with pytest.raises(LinkDown):
            link.submit_batch([sms(1)])

    asyncio.run(story())


def test_the_password_is_not_in_the_settings_repr():
    assert "hunter2" not in repr(SmppSettings("h", 1, "shop", "hunter2"))


# ── window ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_slot_is_free_only_after_release():
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(1), sms(2), sms(3)])
        with pytest.raises(WindowFull):
            link.submit_batch([sms(4)])
        await books.until(lambda: len(books.results) == 3)
        assert link.free == 0
        link.release(2)
        assert link.free == 2
        with pytest.raises(ValueError, match="released"):
            link.release(2)

    scenario(window=3)(story)


def test_a_batch_is_one_callback_and_never_more_than_the_window_is_on_the_wire():
    async def story(smsc, link, books):
        smsc.answer = lambda number: None
        await link.connect()
        link.submit_batch([sms(number, "您" * 160, encoding="UCS-2") for number in range(4)])
        await asyncio.sleep(0.1)
        assert len(smsc.submits) == 4  # twelve parts, window four

    scenario(window=4)(story)


def test_slots_of_uncommitted_results_survive_a_reconnect():
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(1), sms(2)])
        await books.until(lambda: len(books.results) == 2)
        smsc.drop()
        await books.until(lambda: books.closed)
        await link.connect()
        assert link.free == 1
        link.release(2)
        assert link.free == 3

    scenario(window=3)(story)


def test_only_missing_parts_are_sent_again():
    async def story(smsc, link, books):
        smsc.answer = lambda number: 0x58 if number == 2 else 0
        await link.connect()
        link.submit_batch([sms(1, "您" * 160, encoding="UCS-2")])
        await books.until(lambda: books.results)
        assert (books.results[0].outcome, books.results[0].part_ids) == ("throttle", ("id-1", None, "id-3"))
        link.release(1)
        link.submit_batch([sms(1, "您" * 160, encoding="UCS-2", accepted_parts=books.results[0].part_ids)])
        await books.until(lambda: len(books.results) == 2)
        assert (books.results[1].outcome, books.results[1].part_ids) == ("accepted", ("id-1", "id-4", "id-3"))
        assert b"\x05\x00\x03\x01\x03\x02" in smsc.submits[3]

    scenario()(story)


@pytest.mark.parametrize(
    "broken",
    [
        OutboundSms(2, 2, "not a phone", "SHOP", ("hi",), "GSM-7"),
        OutboundSms(2, 2, PHONE, "A sender of far too many letters", ("hi",), "GSM-7"),
        OutboundSms(2, 2, PHONE, "SHOP", ("汉",), "GSM-7"),
        OutboundSms(2, 2, PHONE, "SHOP", ("a" * 255,), "GSM-7"),
        OutboundSms(2, 2, PHONE, "SHOP", ("a", "\ud83d"), "UCS-2"),
        OutboundSms(2, 2, PHONE, "SHOP", (), "GSM-7"),
    ],
)
def test_one_unsendable_message_does_not_hold_up_the_others(broken):
    async def story(smsc, link, books):
        await link.connect()
        link.submit_batch([sms(1), broken, sms(3)])
        await books.until(lambda: len(books.results) == 3)
        assert books.outcomes() == {1: "accepted", 2: "permanent", 3: "accepted"}
        assert len(smsc.submits) == 2

    scenario()(story)


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dropped_connection_leaves_every_message_accounted_for():
    async def story(smsc, link, books):
        smsc.answer = lambda number: 0 if number == 1 else None
        await link.connect()
        link.submit_batch([sms(1), sms(2), sms(3, "您" * 300, encoding="UCS-2"), sms(4)])
        await books.until(lambda: len(smsc.submits) == 5)  # one answered, four open: the window is full
        smsc.drop()
        await books.until(lambda: books.closed)
        assert books.outcomes() == {1: "accepted", 2: "uncertain", 3: "uncertain", 4: "not_sent"}
        assert len(books.results) == 4
        assert (link.is_up, books.closed) == (False, ["connection lost"])

    scenario(window=4)(story)


def test_what_an_unreading_smsc_never_got_is_not_sent():
    async def story(smsc, link, books):
        await link.connect()
        smsc.transport.pause_reading()
        for first in range(0, 60_000, 1_000):
            link.submit_batch([sms(number, "a" * 160) for number in range(first, first + 1_000)])
            await asyncio.sleep(0)
        smsc.drop()
        await books.until(lambda: books.closed)
        outcomes = books.outcomes()
        assert len(books.results) == len(outcomes) == 60_000
        assert set(outcomes.values()) == {"uncertain", "not_sent"}
        # In order: everything that may have left comes before everything that cannot.
        by_attempt = [outcomes[number] for number in range(60_000)]
        assert "uncertain" not in by_attempt[by_attempt.index("not_sent") :]

    scenario(window=60_000)(story)


def test_no_answer_in_time_is_uncertain_and_a_late_answer_still_tells():
    async def story(smsc, link, books):
        smsc.answer = lambda number: None
        await link.connect()
        link.submit_batch([sms(1)])
        await books.until(lambda: books.results)
        assert [result[:6] for result in books.results] == [(1, "uncertain", None, "timeout", (None,), False)]
        assert link.is_up
        sequence = smsc.submits[0][12:16]
        smsc.send(b"\0\0\0\x15\x80\0\0\x04\0\0\0\0" + sequence + b"late\0")
        await books.until(lambda: len(books.results) == 2)
        assert books.results[1][:6] == (1, "accepted", "late", "0x00", ("late",), True)

    scenario(submit_timeout_seconds=0.1)(story)


def test_an_smsc_that_stops_answering_enquiries_is_left():
    async def story(smsc, link, books):
        await link.connect()
        await books.until(lambda: any(command == 0x15 for command, *_ in smsc.other))
        await asyncio.sleep(0.3)
        assert link.is_up  # answered enquiries keep it up
        smsc.answers_enquiries = False
        await books.until(lambda: books.closed)
        assert books.closed == ["no answer to enquire_link"]

    scenario(enquire_seconds=0.1, enquire_timeout_seconds=0.1)(story)


def test_the_smscs_enquiry_and_unbind_are_answered():
    async def story(smsc, link, books):
        await link.connect()
        smsc.send(bytes.fromhex("00000010 00000015 00000000 00000009"))
        smsc.send(bytes.fromhex("00000010 00000006 00000000 0000000a"))
        await books.until(lambda: books.closed)
        await books.until(lambda: len(smsc.other) == 2)
        assert smsc.other == [(0x80000015, 0, 9), (0x80000006, 0, 10)]
        assert books.closed == ["unbound by the SMSC"]

    scenario()(story)


@pytest.mark.parametrize("garbage", [b"\0" * 16, b"\xff" * 64, b"GET / HTTP/1.1\r\nHost: smsc\r\n\r\n"])
def test_garbage_closes_the_connection_and_open_messages_are_uncertain(garbage):
    async def story(smsc, link, books):
        smsc.answer = lambda number: None
        await link.connect()
        link.submit_batch([sms(1)])
        await books.until(lambda: smsc.submits)
        smsc.send(garbage)
        await books.until(lambda: books.closed)
        assert books.outcomes() == {1: "uncertain"}
        assert books.closed[0].startswith("garbage received")

    scenario()(story)


def test_a_deliver_that_cannot_be_read_is_refused_and_the_stream_goes_on():
    async def story(smsc, link, books):
        await link.connect()
        smsc.send(bytes.fromhex("00000014 00000005 00000000 00000007 01020304") + receipt(8, b"id-1"))
        smsc.send(bytes.fromhex("00000010 00000103 00000000 00000009"))  # data_sm: not spoken here
        await books.until(lambda: len(smsc.other) == 2)
        assert smsc.other == [(0x80000000, 2, 7), (0x80000000, 3, 9)]
        assert [deliver.receipt.provider_id for deliver in books.delivers] == ["id-1"]

    scenario()(story)


def test_pdus_cut_anywhere_by_the_network_are_put_together():
    async def story(smsc, link, books):
        await link.connect()
        stream = b"".join(receipt(number, b"id-%d" % number) for number in range(1, 4))
        for octet in stream:
            smsc.send(bytes((octet,)))
            await asyncio.sleep(0)
        await books.until(lambda: len(books.delivers) == 3)
        assert [deliver.receipt.provider_id for deliver in books.delivers] == ["id-1", "id-2", "id-3"]

    scenario()(story)


# ── receipts ────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_acknowledged_before_it_is_told_to_and_once_only():
    async def story(smsc, link, books):
        await link.connect()
        smsc.send(receipt(1, b"id-1") + receipt(2, b"id-2") + receipt(3, b"id-3"))
        await books.until(lambda: len(books.delivers) == 3)
        await asyncio.sleep(0.05)
        assert smsc.deliver_answers == []
        first, second, third = books.delivers
        link.acknowledge(first, third)
        link.refuse(second, status=0x08)
        link.acknowledge(first, second)
        await books.until(lambda: len(smsc.deliver_answers) == 3)
        await asyncio.sleep(0.05)
        assert smsc.deliver_answers == [(1, 0), (3, 0), (2, 8)]

    scenario()(story)


def test_an_answer_never_reaches_another_connection():
    async def story(smsc, link, books):
        await link.connect()
        smsc.send(receipt(1, b"old"))
        await books.until(lambda: books.delivers)
        smsc.drop()
        await books.until(lambda: books.closed)
        await link.connect()
        smsc.send(receipt(1, b"new"))
        await books.until(lambda: len(books.delivers) == 2)
        link.acknowledge(books.delivers[0])
        await asyncio.sleep(0.05)
        assert smsc.deliver_answers == []

    scenario()(story)


def test_reading_pauses_while_too_many_receipts_are_unanswered():
    async def story(smsc, link, books):
        await link.connect()
        for number in range(1, 2_001):
            smsc.send(receipt(number, b"id-%d" % number))
        await asyncio.sleep(0.3)
        assert 10 < len(books.delivers) < 2_000
        while len(smsc.deliver_answers) < 2_000:
            link.acknowledge(*books.delivers)
            await asyncio.sleep(0.005)

    scenario(delivers_open_max=10)(story)


# ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────


def test_draining_waits_for_the_open_answers_and_takes_nothing_new():
    async def story(smsc, link, books):
        smsc.answer = lambda number: None
        await link.connect()
        link.submit_batch([sms(1)])
        draining = asyncio.create_task(link.drain(5))
        await books.until(lambda: smsc.submits)
        assert (link.is_up, link.free) == (False, 0)
        with pytest.raises(LinkDown):
            link.submit_batch([sms(2)])
        smsc.send(b"\0\0\0\x14\x80\0\0\x04\0\0\0\0" + smsc.submits[0][12:16] + b"id1\0")
        assert await draining is True
        await link.close()
        assert (books.outcomes(), books.closed) == ({1: "accepted"}, ["closed by us"])
        assert smsc.other[-1][0] == 6  # unbind

    scenario()(story)


def test_a_drain_that_runs_out_of_time_says_so():
    async def story(smsc, link, books):
        smsc.answer = lambda number: None
        await link.connect()
        link.submit_batch([sms(1)])
        assert await link.drain(0.1) is False
        await link.close()
        assert books.outcomes() == {1: "uncertain"}

    scenario()(story)
