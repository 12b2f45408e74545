"""Connections of other kinds than one open transceiver: two binds, TLS, and lines that end in the middle."""

import asyncio
import datetime
import ipaddress
import ssl
import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from messaging.gateways.smpp.link import LinkDown, SmppLink, SmppSettings
from tests.messaging.gateways.smpp.peers import (
    HEADER,
    RECEIPT,
    Books,
    ScriptedSmsc,
    link_to,
    receipt,
    scenario,
    sms,
)
from tests.messaging.gateways.smpp.test_against_smpp34 import with_smpp34

LONG = "您的余额" * 60


# ── two binds ───────────────────────────────────────────────────────────────────────────────────────────


class TwoDoors:
    """An SMSC that keeps each connection apart and answers every request with yes."""

    def __init__(self, refused=()):
        self.refused, self.doors, self.submits, self.answers = refused, {}, [], []

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readexactly(16)
                length, command, said, sequence = HEADER.unpack(head)
                await reader.readexactly(length - 16)
                if command in (1, 2, 9):
                    self.doors[command] = writer
                if command == 4:
                    self.submits.append(writer)
                if command == 0x80000005:
                    self.answers.append((writer, said, sequence))
                if not command & 0x80000000:
                    status = 0x05 if command in self.refused else 0
                    writer.write(HEADER.pack(17, command | 0x80000000, status, sequence) + b"\0")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def drop(self, command):
        self.doors[command].transport.abort()


def with_two_doors(coroutine, refused=()):
    async def main():
        smsc, books = TwoDoors(refused), Books()
        account = SmppSettings("127.0.0.1", await smsc.start(), "shop", "pw", bind="pair")
        link = SmppLink(account, books.note_results, books.delivers.extend, books.closed.append)
        try:
            await coroutine(smsc, link, books)
        finally:
            await link.close()
            smsc.server.close()

    asyncio.run(main())


def test_a_pair_sends_on_the_transmitter_and_hears_on_the_receiver():
    async def story(smsc, link, books):
        await link.connect()
        assert (set(smsc.doors), link.is_up) == ({1, 2}, True)
        link.submit_batch([sms(1)])
        await books.until(lambda: books.results)
        assert smsc.submits == [smsc.doors[2]]
        smsc.doors[1].write(receipt(5, b"id-1"))
        await books.until(lambda: books.delivers)
        link.acknowledge(*books.delivers)
        await books.until(lambda: smsc.answers)
        assert smsc.answers == [(smsc.doors[1], 0, 5)]
        await link.close()
        assert books.closed == ["closed by us"]

    with_two_doors(story)


@pytest.mark.parametrize("lost", [1, 2])
def test_when_one_of_a_pair_is_lost_both_are_closed_and_the_owner_hears_it_once(lost):
    async def story(smsc, link, books):
        await link.connect()
        smsc.drop(lost)
        await books.until(lambda: books.closed)
        await asyncio.sleep(0.05)
        assert (books.closed, link.is_up) == (["connection lost"], False)
        await link.connect()
        assert link.is_up

    with_two_doors(story)


def test_a_pair_with_a_refused_receiver_is_not_connected_at_all():
    async def story(smsc, link, books):
        with pytest.raises(Exception, match="0x05"):
            await link.connect()
        await asyncio.sleep(0.05)
        assert (link.is_up, link.free, books.closed) == (False, 0, [])
        with pytest.raises(LinkDown):
            link.submit_batch([sms(1)])

    with_two_doors(story, refused=(1,))


def test_a_pair_against_smpp34():
    async def story(smsc, link, books):
        await books.until(lambda: len(smsc.esmes) == 2)
        link.submit_batch([sms(1)])
        await books.until(lambda: books.results)
        hearing = next(esme for esme in smsc.esmes if esme.can_receive)
        sending = asyncio.ensure_future(hearing.deliver_sm("SHOP", RECEIPT % b"id-1", esm_class=4))
        await books.until(lambda: books.delivers)
        assert books.delivers[0].receipt.provider_id == books.results[0].provider_id
        link.acknowledge(*books.delivers)
        sending.cancel()  # its server takes no deliver_sm_resp from a receiver: it would wait half a minute for it

    with_smpp34(story, bind="pair")


# ── leaving with requests open ──────────────────────────────────────────────────────────────────────────


def test_an_unbind_by_the_smsc_leaves_what_was_open_in_doubt_and_what_waited_unsent():
    async def story(smsc, link, books):
        smsc.answer = lambda number: None
        await link.connect()
        link.submit_batch([sms(1), sms(2, LONG, encoding="UCS-2")])
        await books.until(lambda: len(smsc.submits) == 2)  # the window is two: three parts wait
        smsc.send(bytes.fromhex("00000010 00000006 00000000 0000000a"))
        await books.until(lambda: books.closed)
        assert books.outcomes() == {1: "uncertain", 2: "uncertain"}
        assert books.closed == ["unbound by the SMSC"]

    scenario(window=2)(story)


def test_an_error_without_a_body_and_an_answer_without_an_id():
    async def story(smsc, link, books):
        smsc.answer = lambda number: None
        await link.connect()
        link.submit_batch([sms(1), sms(2)])
        await books.until(lambda: len(smsc.submits) == 2)
        first, second = (pdu[12:16] for pdu in smsc.submits)
        smsc.send(b"\0\0\0\x10\x80\0\0\x04\0\0\0\x0b" + first + b"\0\0\0\x10\x80\0\0\x04\0\0\0\0" + second)
        await books.until(lambda: len(books.results) == 2)
        assert [result[1:4] for result in books.results] == [
            ("permanent", None, "0x0B"),
            ("accepted", None, "0x00"),
        ]

    scenario()(story)


def test_a_pdu_that_never_ends_is_left_before_it_fills_the_memory():
    async def story(smsc, link, books):
        await link.connect()
        smsc.send(HEADER.pack(70_001, 5, 0, 1))
        await books.until(lambda: books.closed)
        assert books.closed[0].startswith("garbage received")
        await books.until(lambda: smsc.other)
        assert smsc.other[-1][:2] == (0x80000000, 2)  # generic_nack, invalid length

    scenario()(story)


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────


def certificate(folder):
    """A certificate of our own for localhost: (file, server's context)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([
        x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    ])  # fmt: skip
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = folder / "smsc.pem", folder / "smsc.key"
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return str(file), context


def test_tls_with_the_smscs_own_certificate(tmp_path):
    async def main():
        file, context = certificate(tmp_path)
        smsc = ScriptedSmsc()
        port = await smsc.start(context)
        stranger, _ = link_to(port, tls=True)
        with pytest.raises(LinkDown):
            await stranger.connect()  # not signed by anybody we know
        lost, _ = link_to(port, tls=True, tls_ca_file=str(tmp_path / "absent.pem"))
        with pytest.raises(LinkDown):
            await lost.connect()
        link, books = link_to(port, tls=True, tls_ca_file=file)
        await link.connect()
        link.submit_batch([sms(1)])
        await books.until(lambda: books.results)
        assert books.outcomes() == {1: "accepted"}
        await link.close()
        await smsc.stop()

    asyncio.run(main())


def test_a_line_cut_in_the_middle_of_a_pdu_leaves_its_texts_in_doubt(tmp_path):
    async def main():
        file, context = certificate(tmp_path)
        smsc = ScriptedSmsc(lambda number: None)
        link, books = link_to(await smsc.start(context), tls=True, tls_ca_file=file)
        await link.connect()
        link.submit_batch([sms(1), sms(2)])
        await books.until(lambda: len(smsc.submits) == 2)
        smsc.send(b"\0\0\0\x15\x80\0\0\x04\0\0")  # ten octets of an answer
        smsc.drop()
        await books.until(lambda: books.closed)
        assert books.outcomes() == {1: "uncertain", 2: "uncertain"}
        await smsc.stop()

    asyncio.run(main())


class TornWire:
    """A wire that carries so many octets there, or back, once texts are on their way; then it tears."""

    def __init__(self, to_port, there=None, back=None):
        self.to_port, self.left, self.is_counting = to_port, {"there": there, "back": back}, False

    async def start(self):
        self.server = await asyncio.start_server(self.carry, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def carry(self, near_reader, near_writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        ways = [
            self.one_way("there", near_reader, far_writer),
            self.one_way("back", far_reader, near_writer),
        ]
        await asyncio.wait([asyncio.create_task(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
        near_writer.transport.abort()
        far_writer.transport.abort()

    async def one_way(self, name, reader, writer):
        while data := await reader.read(1000):
            if self.is_counting and self.left[name] is not None:
                data = data[: self.left[name]]
                self.left[name] -= len(data)
            writer.write(data)
            await writer.drain()
            if self.is_counting and self.left[name] == 0:
                return


# Texts make records of 16 KiB, which end in the middle of one; answers make shorter ones.
@pytest.mark.parametrize(
    ("way", "octets", "most_taken"),
    [("there", 0, 0), ("there", 100, 0), ("there", 20_000, 250), ("back", 10, 400), ("back", 3_000, 400)],
)
def test_tls_torn_anywhere_leaves_every_text_accounted_for(tmp_path, way, octets, most_taken):
    async def main():
        file, context = certificate(tmp_path)
        smsc = ScriptedSmsc()
        wire = TornWire(await smsc.start(context), **{way: octets})
        settings = {"tls": True, "tls_ca_file": file, "window": 400}
        link, books = link_to(await wire.start(), **settings)
        await link.connect()
        wire.is_counting = True

        link.submit_batch([sms(number, "x" * 60) for number in range(1, 401)])
        await books.until(lambda: books.closed)

        outcomes = books.outcomes()
        assert len(books.results) == len(outcomes) == 400, "each once"
        assert len(smsc.submits) <= most_taken
        taken = {struct.unpack_from(">I", pdu, 12)[0] - 1 for pdu in smsc.submits}  # the bind was number 1
        assert {outcomes[number] for number in taken} <= {"accepted", "uncertain"}
        assert {number for number, outcome in outcomes.items() if outcome == "accepted"} <= taken
        if way == "there" and octets > 10_000:
            assert 0 < len(taken) < 400, "torn between two records, in the middle of a text"
        wire.server.close()
        await smsc.stop()

    asyncio.run(main())
