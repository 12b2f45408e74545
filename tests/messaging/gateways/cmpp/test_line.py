"""What a CMPP line may do wrong, and what comes back on it: receipts and replies, on a real socket."""

import asyncio

import pytest

from messaging.gateways.cmpp import pdus
from messaging.gateways.cmpp.settings import CmppSettings
from tests.messaging.gateways.cmpp.gateways import (
    ACCESS,
    YES,
    journalled,
    text,
    with_ismg,
    with_stranger,
)
from tests.messaging.gateways.smpp.peers import PHONE

both_versions = pytest.mark.parametrize("version", ["2.0", "3.0"])


# ── doubt ───────────────────────────────────────────────────────────────────────────────────────────────


def test_no_answer_in_time_is_uncertain_never_sent_again_and_a_late_answer_is_told(tmp_path):
    journal = tmp_path / "journal"

    async def story(ismg, link, books):
        ismg.mood.answer_delay_ms, ismg.mood.stat = 300, lambda submit: None
        await link.connect()
        link.submit_batch([text(1)])
        await books.until(lambda: books.results)
        assert [result[:6] for result in books.results] == [(1, "uncertain", None, "timeout", (None,), False)]
        assert link.is_up
        await books.until(lambda: len(books.results) == 2)
        (entry,) = journalled(journal)
        assert books.results[1][:6] == (1, "accepted", entry["id"], "CMPP 0", (entry["id"],), True)

    with_ismg(story, journal=journal, submit_timeout_seconds=0.1)


@pytest.mark.parametrize(("fault", "taken"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_leaves_what_was_written_in_doubt(fault, taken, tmp_path):
    journal = tmp_path / "journal"

    async def story(ismg, link, books):
        ismg.mood.fault = lambda number: fault
        await link.connect()
        link.submit_batch([text(1, "您" * 160)])  # one part on the wire, two still here
        await books.until(lambda: books.closed)
        assert [result[:6] for result in books.results] == [
            (1, "uncertain", None, "connection lost", (None,) * 3, False)
        ]
        assert len(journalled(journal)) == taken

    with_ismg(story, journal=journal, window=1)


def test_a_receipt_before_its_answer_and_one_whose_number_nobody_knows():
    async def story(ismg, link, books):
        ismg.mood.receipt_first, ismg.mood.answer_delay_ms = True, 50
        ismg.mood.fault = lambda number: "wrong_id" if number == 2 else None
        await link.connect()
        link.submit_batch([text(1)])
        await books.until(lambda: books.delivers)
        assert books.results == []
        await books.until(lambda: books.results)
        assert books.results[0].provider_id == books.delivers[0].receipt.provider_id
        link.submit_batch([text(2)])
        await books.until(lambda: len(books.results) == 2 and len(books.delivers) == 2)
        assert books.results[1].provider_id != books.delivers[1].receipt.provider_id

    with_ismg(story)


def test_a_gateway_that_stops_answering_tests_is_left():
    async def story(ismg, link, books):
        await link.connect()
        await books.until(
            lambda: any(command == pdus.ACTIVE_TEST for command, _ in ismg.connections[0].other)
        )
        await asyncio.sleep(0.3)
        assert link.is_up  # answered tests keep it up
        ismg.mood.answers_tests = False
        await books.until(lambda: books.closed)
        assert books.closed == ["no answer to ACTIVE_TEST"]

    with_ismg(story, active_test_seconds=0.1, active_test_timeout_seconds=0.1)


def test_a_half_open_connection_is_found_within_45_seconds():
    account = CmppSettings("h", 1, "901234", "s")

    assert account.active_test_seconds + account.active_test_timeout_seconds + 2 * 1.0 <= 45


def test_the_gateways_own_test_and_farewell_are_answered():
    async def story(stranger, link, books):
        await link.connect()
        stranger.transport.write(bytes.fromhex("0000000c 00000008 00000009 0000000c 00000002 0000000a"))
        await books.until(lambda: books.closed)
        assert stranger.heard.endswith(
            bytes.fromhex("0000000d 80000008 00000009 00 0000000c 80000002 0000000a")
        )
        assert books.closed == ["closed by the gateway"]

    with_stranger(YES, story)


@pytest.mark.parametrize(
    "garbage",
    [bytes(12), b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", bytes.fromhex("0000000e 80000004 00000002 0102")],
)
def test_garbage_closes_the_connection_and_open_messages_are_uncertain(garbage):
    async def story(stranger, link, books):
        await link.connect()
        link.submit_batch([text(1)])
        await books.until(lambda: len(stranger.heard) > 39)
        stranger.transport.write(garbage)
        await books.until(lambda: books.closed)
        assert books.outcomes() == {1: "uncertain"}
        assert books.closed[0].startswith("garbage received")

    with_stranger(YES, story)


def test_a_deliver_that_cannot_be_read_is_refused_and_the_stream_goes_on():
    async def story(stranger, link, books):
        await link.connect()
        stranger.transport.write(bytes.fromhex("00000016 00000005 00000007 0000000000000063 0102"))
        stranger.transport.write(bytes.fromhex("0000000c 00000010 00000008 0000000c 00000008 00000009"))
        answer = bytes.fromhex("00000015 80000005 00000007 0000000000000063 01")
        await books.until(lambda: answer in stranger.heard and stranger.heard.endswith(b"\0\0\0\x09\0"))
        assert link.is_up

    with_stranger(YES, story)


def test_pdus_cut_anywhere_by_the_network_are_put_together():
    async def story(stranger, link, books):
        connecting = asyncio.create_task(link.connect())
        await books.until(lambda: stranger.heard)
        for octet in YES + bytes.fromhex("0000000c 00000008 00000009"):
            stranger.transport.write(bytes((octet,)))
            await asyncio.sleep(0)
        await connecting
        await books.until(lambda: stranger.heard.endswith(bytes.fromhex("80000008 00000009 00")))

    with_stranger(b"", story)


# ── receipts and replies ────────────────────────────────────────────────────────────────────────────────


@both_versions
@pytest.mark.parametrize("wide_receipts", [False, True])
def test_gateways_mix_the_receipts_of_both_versions(version, wide_receipts):
    async def story(ismg, link, books):
        ismg.mood.writes_wide_receipts, ismg.mood.stat = wide_receipts, lambda submit: "MB:0069"
        await link.connect()
        link.submit_batch([text(1)])
        await books.until(lambda: books.results and books.delivers)
        found = books.delivers[0].receipt
        assert (found.provider_id, found.stat, found.outcome) == (
            books.results[0].provider_id, "MB:0069", "undelivered"
        )  # fmt: skip
        assert found.phone == PHONE[3:]

    with_ismg(story, version=version)


def test_nothing_is_answered_before_it_is_told_to_and_once_only():
    async def story(ismg, link, books):
        await link.connect()
        ismg.reply("13800138000", ACCESS, "退订")
        await books.until(lambda: books.delivers)
        await asyncio.sleep(0.05)
        assert ismg.counts["deliver_answers"] == 0
        link.acknowledge(*books.delivers)
        link.acknowledge(*books.delivers)
        await books.until(lambda: ismg.counts["deliver_answers"] == 1)
        await asyncio.sleep(0.05)
        assert (ismg.counts["deliver_answers"], ismg.counts["wrong_answers"]) == (1, 0)

    with_ismg(story)


def test_what_could_not_be_stored_gets_no_answer_and_comes_again():
    async def story(ismg, link, books):
        ismg.mood.repeat_seconds = 0.2
        await link.connect()
        ismg.reply("13800138000", ACCESS, "退订")
        await books.until(lambda: books.delivers)
        link.refuse(*books.delivers)
        await books.until(lambda: len(books.delivers) == 2)
        assert {deliver.inbound.text for deliver in books.delivers} == {"退订"}
        link.acknowledge(books.delivers[1])
        await books.until(lambda: ismg.counts["deliver_answers"] == 1)

    with_ismg(story)


def test_what_was_not_answered_comes_again_on_the_next_connection_and_an_old_answer_does_not_count():
    async def story(ismg, link, books):
        await link.connect()
        ismg.reply("13800138000", ACCESS, "退订")
        await books.until(lambda: books.delivers)
        ismg.connections[0].drop()
        await books.until(lambda: books.closed)
        await link.connect()
        await books.until(lambda: len(books.delivers) == 2)
        link.acknowledge(books.delivers[0])
        await asyncio.sleep(0.05)
        assert ismg.counts["deliver_answers"] == 0
        link.acknowledge(books.delivers[1])
        await books.until(lambda: ismg.counts["deliver_answers"] == 1)

    with_ismg(story)


@both_versions
def test_a_long_reply_comes_as_pieces_that_say_which_they_are(version):
    async def story(ismg, link, books):
        await link.connect()
        ismg.reply("8613800138000", ACCESS + "88", "我要退订，不要再发短信给我了", parts=2)
        await books.until(lambda: len(books.delivers) == 2)
        pieces = sorted((deliver.inbound for deliver in books.delivers), key=lambda piece: piece.part)
        assert [piece.part for piece in pieces] == [(7, 2, 1), (7, 2, 2)]
        assert "".join(piece.text for piece in pieces) == "我要退订，不要再发短信给我了"
        assert (pieces[0].phone, pieces[0].to) == ("8613800138000", ACCESS + "88")

    with_ismg(story, version=version)


def test_reading_pauses_while_too_many_are_unanswered():
    async def story(ismg, link, books):
        await link.connect()
        for number in range(200):
            ismg.reply("13800138000", ACCESS, f"R{number}")
        await asyncio.sleep(0.1)
        assert 3 < len(books.delivers) < 200
        while ismg.counts["deliver_answers"] < 200:
            link.acknowledge(*books.delivers)
            await asyncio.sleep(0.005)
        assert len({deliver.inbound.text for deliver in books.delivers}) == 200

    with_ismg(story, delivers_open_max=3)
