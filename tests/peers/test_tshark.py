"""Wireshark's dissectors on our traffic: every PDU is understood and none is malformed."""

import asyncio
from itertools import chain

import pytest

from messaging.gateways.cmpp.link import CmppLink, CmppSettings
from messaging.gateways.smpp.link import SmppLink, SmppSettings
from tests.messaging.gateways.cmpp.gateways import text, with_ismg
from tests.messaging.gateways.smpp.peers import Books, ScriptedSmsc, receipt, sms
from tests.peers.pcap import Recorder, dissect, write_pcap

pytestmark = pytest.mark.xdist_group("peers")
SMPP_PORT, CMPP_PORT = 2775, 7890
LONG = "您的余额是 88 元" * 20


async def recorded(port, link_class, account, story, **settings):
    """Run a story over a link whose octets are recorded; gives them."""
    recorder, books = Recorder(port), Books()
    settings = account("127.0.0.1", await recorder.start(), **settings)
    link = link_class(settings, books.note_results, books.delivers.extend, books.closed.append)
    await link.connect()
    await story(link, books)
    await link.close()
    await asyncio.sleep(0.05)
    recorder.stop()
    return recorder.passed


async def smpp_conversation(way):
    """Log-in, short and long texts, a refusal, a receipt, enquiries both ways, log-out."""
    smsc = ScriptedSmsc(lambda number: 0x58 if number == 2 else 0)
    port = await smsc.start()

    async def story(link, books):
        texts = [sms(1, "Café €5 @home", validity_seconds=300), sms(2), sms(3, "您好", "1069012345", "UCS-2")]
        link.submit_batch([*texts, sms(0x1234, LONG, "+8613800138001", encoding="UCS-2")])
        await books.until(lambda: len(books.results) == 4)
        smsc.send(receipt(9, b"id-1") + bytes.fromhex("00000010 00000015 00000000 0000000a"))
        await books.until(lambda: books.delivers)
        link.acknowledge(*books.delivers)
        await books.until(lambda: any(command == 0x15 for command, *_ in smsc.other))

    passed = await recorded(
        port,
        SmppLink,
        SmppSettings,
        story,
        system_id="shop",
        password="pw",
        long_texts=way,
        enquire_seconds=0.2,
    )
    await smsc.stop()
    return passed


WAYS = {"udh8": 3, "udh16": 4, "sar": 3, "payload": 1}  # and how many submits the long text takes


def test_no_smpp_pdu_is_malformed_and_all_say_what_we_meant(tshark, tmp_path):
    file = tmp_path / "smpp.pcap"
    write_pcap(file, [asyncio.run(smpp_conversation(way)) for way in WAYS], SMPP_PORT)

    fields = ["smpp.command_id", "smpp.destination_addr", "smpp.source_addr", "smpp.message_id"]
    rows, complaints = dissect(tshark, file, SMPP_PORT, "smpp", fields)

    assert complaints == []
    commands = [int(word, 16) for word in chain.from_iterable(row[0] for row in rows)]
    submits = sum(3 + parts for parts in WAYS.values())
    expected = {4: submits, 0x80000004: submits} | dict.fromkeys(
        (9, 5, 6, 0x80000009, 0x80000005, 0x80000006), 4
    )
    assert {command: commands.count(command) for command in expected} == expected
    assert set(commands) == {*expected, 0x15, 0x80000015}
    assert set(chain.from_iterable(row[1] for row in rows)) == {"8613800138000", "SHOP"}
    senders = set(chain.from_iterable(row[2] for row in rows))
    assert senders == {"SHOP", "1069012345", "8613800138001", "8613800138000"}


def test_wireshark_would_have_seen_a_malformed_pdu(tshark, tmp_path):
    """The negative control: a submit whose sm_length reaches beyond its end."""
    file, passed = tmp_path / "smpp.pcap", asyncio.run(smpp_conversation("udh8"))
    broken = bytes.fromhex("0000003c 00000004 00000000 00000063 00 05 00") + b"SHOP\0" + bytes.fromhex("0101")
    broken += b"8613800138000\0" + bytes(3) + b"\0\0" + bytes((1, 0, 0, 0, 200)) + b"short"
    broken = len(broken).to_bytes(4, "big") + broken[4:]
    write_pcap(file, [[*passed, (True, broken)]], SMPP_PORT)

    assert len(dissect(tshark, file, SMPP_PORT, "smpp", [])[1]) == 1


def test_no_cmpp_pdu_is_malformed(tshark, tmp_path):
    """Its dissector knows 3.0 only. Both directions are ours here: the link and the gateway of the tests."""
    file, passed = tmp_path / "cmpp.pcap", []

    async def story(ismg, link, books):
        port = ismg._server.sockets[0].getsockname()[1]

        async def talk(link, books):
            ismg.mood.fault = lambda number: "throttle" if number == 2 else None
            link.submit_batch([text(1), text(2), text(3, LONG)])
            await books.until(lambda: len(books.results) == 3 and len(books.delivers) == 4)
            link.acknowledge(*books.delivers)
            await books.until(lambda: ismg.connections[0].other)

        account = {"version": "3.0", "sp_id": "901234", "secret": "secret", "access_number": "1069012345"}
        passed.extend(await recorded(port, CmppLink, CmppSettings, talk, **account, active_test_seconds=0.2))

    with_ismg(story)
    write_pcap(file, [passed], CMPP_PORT)

    fields = ["cmpp.Command_Id", "cmpp.Dest_terminal_Id", "cmpp.submit.Src_Id"]
    rows, complaints = dissect(tshark, file, CMPP_PORT, "cmpp", fields)

    assert complaints == []
    commands = [int(word, 16) for word in chain.from_iterable(row[0] for row in rows)]
    assert commands.count(4) == commands.count(0x80000004) == 2 + 3
    assert commands.count(5) == commands.count(0x80000005) == 1 + 3
    assert commands.count(1) == commands.count(0x80000001) == 1
    assert set(commands) == {1, 4, 5, 8, 2, 0x80000001, 0x80000004, 0x80000005, 0x80000008, 0x80000002}
    assert set(chain.from_iterable(row[2] for row in rows)) == {"1069012345"}
