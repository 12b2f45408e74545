"""The CMPP link on a real socket, against a gateway that can be told to fail."""

import asyncio

import pytest

from messaging.gateways.base import BindRefused, LinkDown, OutboundSms, WindowFull
from messaging.gateways.cmpp import pdus
from tests.messaging.gateways.cmpp.gateways import (
    ACCESS,
    YES,
    journalled,
    link_to,
    text,
    with_ismg,
    with_stranger,
)
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
