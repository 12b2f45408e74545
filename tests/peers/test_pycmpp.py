"""pycmpp, another hand's CMPP 2.x client: it logs in to our gateway and submits, and it reads what we write."""

import asyncio
import contextlib
import json

import pytest
from pycmpp.cmpp import Cmpp
from pycmpp.request import ActiveTestRequestInstance, SubmitRequestInstance
from pycmpp.response import ConnectResponseInstance, SubmitResponseInstance

from crm.local.simulator.ismg import Ismg
from crm.local.simulator.journal import Journal
from messaging.gateways.base import OutboundSms
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.cmpp.submit_encoder import SubmitEncoder
from messaging.gateways.long_message import LongMessage


class Shop:
    """Its client with its own socket, request and response classes; without its endless reading thread."""

    def __init__(self, port, secret="secret"):
        self.client = Cmpp("127.0.0.1", port, "901234", secret, "1069012345", delivery=1)
        self.client.so.settimeout(5)

    def receive(self, response):
        head = self._exactly(12)
        response.resolve(head + self._exactly(int.from_bytes(head[:4], "big") - 12))
        return response

    def log_in(self):
        self.client.connect()
        self.client.auth()
        return self.receive(ConnectResponseInstance())

    def submit(self, text, phone="13800138000"):
        self.client.submit(text, [phone])
        return self.receive(SubmitResponseInstance())

    def _exactly(self, size):
        octets = b""
        while len(octets) < size:
            found = self.client.so.recv(size - len(octets))
            if not found:
                raise ConnectionError
            octets += found
        return octets


def with_shop(story, journal, **shop):
    async def main():
        ismg = Ismg(Journal(journal))
        ismg.mood.stat = lambda submit: None
        port = await ismg.start()

        def run():
            client = Shop(port, **shop)
            with contextlib.closing(client.client):
                return story(client)

        try:
            return await asyncio.to_thread(run)
        finally:
            await ismg.stop()

    return asyncio.run(main())


def test_it_logs_in_and_submits(tmp_path):
    def story(shop):
        assert shop.log_in().status == 0
        return [shop.submit("您的余额是 88 元"), shop.submit("a" * 69)]

    answers = with_shop(story, tmp_path / "journal")

    entries = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [entry["text"] for entry in entries] == ["您的余额是 88 元", "a" * 69]
    assert [(str(answer.msg_id), answer.status) for answer in answers] == [(e["id"], 0) for e in entries]
    assert {(entry["to"], entry["system_id"]) for entry in entries} == {("13800138000", "901234")}


def test_its_long_texts_are_put_together(tmp_path):
    text = "【蓝湾洗车】" + "您" * 120

    def story(shop):
        shop.log_in()
        first = shop.submit(text)
        return [first, shop.receive(SubmitResponseInstance())]

    with_shop(story, tmp_path / "journal")

    entries = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [(entry["part"], entry["parts"]) for entry in entries] == [(1, 2), (2, 2)]
    assert "".join(entry["text"] for entry in entries) == text


def test_a_wrong_secret_is_refused_in_a_way_it_understands(tmp_path):
    assert with_shop(Shop.log_in, tmp_path / "journal", secret="wrong").status == 3


def test_its_test_of_the_line_is_answered_and_it_may_leave(tmp_path):
    def story(shop):
        shop.log_in()
        shop.client.send(ActiveTestRequestInstance().create())
        answer = shop._exactly(13)
        shop.client.terminate()
        return answer, shop._exactly(12)

    answer, farewell = with_shop(story, tmp_path / "journal")
    assert (answer[:8].hex(), farewell[:8].hex()) == ("0000000d80000008", "0000000c80000002")


@pytest.mark.parametrize("text", ["您好", "您" * 160])
def test_it_reads_what_we_submit(text):
    account = CmppSettings("h", 1, "901234", "secret", access_number="1069012345", service_id="MBLUE")
    encoder = SubmitEncoder(account)
    parts = [text[start : start + 67] for start in range(0, len(text), 67)]
    message = OutboundSms(1, 1, "+8613800138000", "88", tuple(parts), "UCS-2", 0x2A)
    long_message = LongMessage(message, encoder.pieces(message))
    for index, part in enumerate(parts):
        octets = encoder.encode((long_message, index), index + 1, wide=False)
        found = SubmitRequestInstance().resolve(octets)
        assert found["length"] == len(octets)
        assert (found["msg_content"], found["pk_total"], found["pk_number"]) == (part, len(parts), index + 1)
        assert (found["tp_udhi"], found["msg_fmt"], found["register_delivery"]) == (len(parts) > 1, 8, 1)
        assert found["src_id"].rstrip("\0") == "106901234588"
        assert found["dest_terminal_id"].rstrip("\0") == "13800138000"
        assert found["service_id"].rstrip("\0") == "MBLUE"
        assert found["msg_src"] == "901234"
