"""The CMPP link on a real socket, against a gateway that can be told to fail."""

import asyncio

import pytest

from messaging.gateways.base import BindRefused, LinkDown, OutboundSms, WindowFull
from messaging.gateways.cmpp import pdus
from messaging.gateways.cmpp.settings import CmppSettings
from tests.messaging.gateways.cmpp.gateways import ACCESS, journalled, link_to, text, with_ismg
from tests.messaging.gateways.smpp.peers import PHONE, free_port

both_versions = pytest.mark.parametrize("version", ["2.0", "3.0"])


# ── log-in ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["2.0", "2.1", "3.0"])
@pytest.mark.parametrize("checks_gateway", [False, True])
def test_both_sides_prove_that_they_know_the_secret(version, checks_gateway):
    async def story(ismg, link, books):
        await link.connect()
        assert (link.is_up, ismg.connections[0].sp_id) == (True, "901234")
        assert ismg.connections[0].wide == (version == "3.0")

    with_ismg(story, version=version, checks_gateway=checks_gateway)


@pytest.mark.parametrize(
    ("accounts", "status", "is_final"), [({"901234": "another"}, 3, True), ({}, 2, True)]
)
@both_versions
def test_a_refused_log_in_says_why_and_that_a_person_must_act(accounts, status, is_final, version):
    async def story(ismg, link, books):
        with pytest.raises(BindRefused) as refused:
            await link.connect()
        assert (refused.value.status, refused.value.is_final) == (status, is_final)
        assert (link.is_up, link.free, books.closed) == (False, 0, [])

    with_ismg(story, accounts=accounts, version=version)


def test_a_gateway_too_old_for_the_version_says_so():
    async def story(ismg, link, books):
        with pytest.raises(BindRefused) as refused:
            await link.connect()
        assert (refused.value.status, refused.value.is_final) == (4, True)

    with_ismg(story, version="3.0", highest=0x20)


def test_a_newer_gateway_is_spoken_to_in_the_version_we_asked_for():
    async def story(ismg, link, books):
        await link.connect()
        link.submit_batch([text(1)])
        await books.until(lambda: books.results and books.delivers)
        assert books.outcomes() == {1: "accepted"}

    with_ismg(story, version="2.0", highest=0x30)


class Stranger(asyncio.Protocol):
    """Answers a log-in with whatever it is told, and keeps what it hears."""

    def __init__(self, answer=b""):
        self.answer, self.heard, self.transport = answer, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if not self.heard:
            self.transport.write(self.answer)
        self.heard += data
        if data.startswith(bytes.fromhex("0000000c 00000002")):  # TERMINATE
            self.transport.close()


def with_stranger(answer, coroutine, **settings):
    async def main():
        stranger = Stranger(answer)
        server = await asyncio.get_running_loop().create_server(lambda: stranger, "127.0.0.1", 0)
        link, books = link_to(server.sockets[0].getsockname()[1], **settings)
        try:
            await coroutine(stranger, link, books)
        finally:
            await link.close()
            server.close()

    asyncio.run(main())


YES = bytes.fromhex("0000001e 80000001 00000001 00") + bytes(16) + b"\x20"


def test_a_gateway_without_proof_is_refused_only_when_the_account_asks_for_it():
    async def refused(stranger, link, books):
        with pytest.raises(LinkDown, match="does not know the secret"):
            await link.connect()

    async def accepted(stranger, link, books):
        await link.connect()
        assert link.is_up

    with_stranger(YES, refused, checks_gateway=True)
    with_stranger(YES, accepted)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(64), YES[:20]])
def test_silence_and_nonsense_after_the_log_in_are_a_link_that_is_down(answer):
    async def story(stranger, link, books):
        with pytest.raises(LinkDown):
            await link.connect()
        assert books.closed == []

    with_stranger(answer, story, bind_timeout_seconds=0.1)


def test_no_gateway_at_all():
    async def story():
        link, _ = link_to(free_port())
        with pytest.raises(LinkDown):
            await link.connect()
        with pytest.raises(LinkDown):
            link.submit_batch([text(1)])

    asyncio.run(story())


def test_the_log_in_on_the_wire():
    async def story(stranger, link, books):
        await link.connect()
        assert stranger.heard[:18] == bytes.fromhex("00000027 00000001 00000001") + b"901234"
        assert (len(stranger.heard), stranger.heard[34]) == (39, 0x20)

    with_stranger(YES, story)


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────


@both_versions
def test_a_text_its_answer_and_its_receipt(version, tmp_path):
    journal = tmp_path / "journal"

    async def story(ismg, link, books):
        await link.connect()
        link.submit_batch([text(1, sender="88")])
        await books.until(lambda: books.results and books.delivers)
        (result,), (deliver,) = books.results, books.delivers
        (entry,) = journalled(journal)
        assert result[:6] == (1, "accepted", entry["id"], "CMPP 0", (entry["id"],), False)
        assert (entry["from"], entry["to"], entry["text"]) == (ACCESS + "88", PHONE[3:], "您的余额是 88 元")
        assert deliver.receipt[:5] == (entry["id"], "DELIVRD", "", "delivered", True)
        assert deliver.receipt.phone == PHONE[3:]

    with_ismg(story, journal=journal, version=version)


@both_versions
def test_a_long_text_is_one_result_with_an_id_for_each_part(version, tmp_path):
    journal, words = tmp_path / "journal", "【蓝湾洗车】" + "您" * 154

    async def story(ismg, link, books):
        await link.connect()
        link.submit_batch([text(300, words)])
        await books.until(lambda: books.results)
        entries = journalled(journal)
        assert books.results[0].part_ids == tuple(entry["id"] for entry in entries)
        assert [(entry["part"], entry["parts"]) for entry in entries] == [(1, 3), (2, 3), (3, 3)]
        assert "".join(entry["text"] for entry in entries) == words

    with_ismg(story, journal=journal, version=version)


@pytest.mark.parametrize(
    ("fault", "outcome", "raw"),
    [
        ("throttle", "throttle", "CMPP 8"),
        (10, "permanent", "CMPP 10"),
        (3, "retry", "CMPP 3"),
        (107, "retry", "CMPP 107"),
    ],
)
@both_versions
def test_a_no_is_surfaced_message_by_message(fault, outcome, raw, version):
    async def story(ismg, link, books):
        ismg.mood.fault = lambda number: fault if number == 2 else None
        await link.connect()
        link.submit_batch([text(1), text(2), text(3)])
        await books.until(lambda: len(books.results) == 3)
        assert books.outcomes() == {1: "accepted", 2: outcome, 3: "accepted"}
        refused = next(result for result in books.results if result.attempt_id == 2)
        assert (refused.provider_id, refused.raw_status) == (None, raw)

    with_ismg(story, version=version, result_actions={"107": "retry"})


def test_only_missing_parts_are_sent_again(tmp_path):
    journal, words = tmp_path / "journal", "您" * 160

    async def story(ismg, link, books):
        ismg.mood.fault = lambda number: "throttle" if number == 2 else None
        await link.connect()
        link.submit_batch([text(1, words)])
        await books.until(lambda: books.results)
        first = books.results[0]
        assert (first.outcome, first.part_ids[1]) == ("throttle", None)
        link.release(1)
        link.submit_batch([text(1, words, accepted_parts=first.part_ids)])
        await books.until(lambda: len(books.results) == 2)
        assert books.outcomes() == {1: "accepted"}
        assert sorted(entry["part"] for entry in journalled(journal)) == [1, 2, 3]

    with_ismg(story, journal=journal)


@pytest.mark.parametrize(
    "message",
    [
        text(1, sender="BLUELAGOON"),
        OutboundSms(1, 1, "+447700900123", "", ("hi",), "GSM-7"),
        OutboundSms(1, 1, PHONE, "", ("您" * 71,), "UCS-2"),
        OutboundSms(1, 1, PHONE, "", (), "UCS-2"),
    ],
)
def test_what_cannot_go_out_is_the_messages_fault_not_the_connections(message):
    async def story(ismg, link, books):
        await link.connect()
        link.submit_batch([message, text(2)])
        await books.until(lambda: len(books.results) == 2)
        assert books.outcomes() == {1: "permanent", 2: "accepted"}
        assert (link.is_up, ismg.counts["submits"]) == (True, 1)

    with_ismg(story)


# ── window ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_protocols_window_is_sixteen_and_never_more_is_on_the_wire():
    async def story(ismg, link, books):
        ismg.mood.fault = lambda number: "drop"
        await link.connect()
        assert link.free == 16
        link.submit_batch([text(number, "您" * 160) for number in range(8)])
        await asyncio.sleep(0.1)
        assert ismg.counts["submits"] == 16  # twenty-four parts
        assert link.free == 8

    with_ismg(story)


def test_a_slot_is_free_only_after_release_also_across_a_reconnect():
    async def story(ismg, link, books):
        await link.connect()
        link.submit_batch([text(1), text(2), text(3)])
        with pytest.raises(WindowFull):
            link.submit_batch([text(4)])
        await books.until(lambda: len(books.results) == 3)
        link.release(1)
        ismg.connections[0].drop()
        await books.until(lambda: books.closed)
        await link.connect()
        assert link.free == 1

    with_ismg(story, window=3)


def test_five_hundred_texts_through_the_window(tmp_path):
    journal = tmp_path / "journal"

    async def story(ismg, link, books):
        await link.connect()
        waiting = list(range(500))
        while len(books.results) < 500:
            link.submit_batch([text(waiting.pop()) for _ in range(min(link.free, len(waiting)))])
            known = len(books.results)
            await books.until(lambda known=known: len(books.results) > known)
            link.release(len(books.results) - known)
            link.acknowledge(*books.delivers)
        await books.until(lambda: len({d.receipt.provider_id for d in books.delivers}) == 500)
        ids = {result.provider_id for result in books.results}
        assert ids == {entry["id"] for entry in journalled(journal)}
        assert ids == {deliver.receipt.provider_id for deliver in books.delivers}

    with_ismg(story, journal=journal)


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


# ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────


def test_draining_waits_for_the_open_answers_and_closing_says_goodbye():
    async def story(ismg, link, books):
        ismg.mood.answer_delay_ms = 100
        await link.connect()
        connection = ismg.connections[0]
        link.submit_batch([text(1)])
        draining = asyncio.create_task(link.drain(5))
        await asyncio.sleep(0.02)
        assert (link.is_up, link.free) == (False, 0)
        assert await draining is True
        await link.close()
        assert (books.outcomes(), books.closed) == ({1: "accepted"}, ["closed by us"])
        assert connection.other[-1][0] == pdus.TERMINATE

    with_ismg(story)


def test_the_gateways_farewell_with_requests_open():
    async def story(ismg, link, books):
        ismg.mood.fault = lambda number: "drop"
        await link.connect()
        link.submit_batch([text(1), text(2)])
        await books.until(lambda: ismg.counts["submits"] == 2)
        ismg.connections[0].terminate()
        await books.until(lambda: books.closed)
        assert books.outcomes() == {1: "uncertain", 2: "uncertain"}
        assert books.closed == ["closed by the gateway"]

    with_ismg(story)
