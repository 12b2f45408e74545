"""The other ways to the handsets: who is let in, where reports go, what the carrier's switches do to them."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from crm.local.children import wait_until
from messaging.gateways.http.signature import KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign, verify
from tests.local.conftest import Simulator

ANN = "447700900123"
SECRET = "phone-simulator-secret"  # noqa: S105 - shown on the page
TEXT = {"id": "1", "to": f"+{ANN}", "from": "1069", "text": "Hello Ann", "parts": 1}


class House:
    """Hears what a provider calls with; the first call of all is answered 503."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.calls = 0
        house = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                house.calls += 1
                is_ours = verify(
                    secret=SECRET,
                    timestamp=self.headers[TIMESTAMP_HEADER],
                    body=body,
                    signature=self.headers[SIGNATURE_HEADER],
                    now=time.time(),
                )
                if house.calls > 1 and is_ours:
                    house.heard.append((self.path, json.loads(body)))
                self.send_response(200 if house.calls > 1 else 503)
                self.end_headers()

            def log_message(self, *_said: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Door)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hooks/gateways/secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def house(simulator: Simulator) -> Iterator[House]:
    house = House()
    simulator.call("/api/ways", {"way": "HTTP", "callback": f"{house.address}/receipts"})
    yield house
    simulator.call("/api/ways", {"way": "HTTP", "callback": ""})
    house.server.shutdown()


def text(simulator: Simulator, *, secret: str = SECRET) -> tuple[int, Any]:
    """One text by the way of a gateway of one's own."""
    body, now = json.dumps(TEXT).encode(), str(int(time.time()))
    headers = {
        KEY_HEADER: "simulator",
        TIMESTAMP_HEADER: now,
        SIGNATURE_HEADER: sign(secret=secret, timestamp=now, body=body),
    }
    address = f"http://127.0.0.1:{simulator.http_port}/providers/http/messages"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_only_who_has_the_key_is_let_in(simulator: Simulator):
    assert text(simulator, secret="another secret of 16")[1] == {"status": "bad_key"}
    assert simulator.thread(ANN) == []


def test_a_text_waits_for_its_phone_and_reports_until_it_is_heard(simulator: Simulator, house: House):
    simulator.call(f"/api/handsets/{ANN}/power", {"on": False})
    status, said = text(simulator)
    assert (status, said["status"]) == (202, "accepted")
    (shown,) = simulator.thread(ANN)
    assert (shown["text"], shown["way"], shown["state"], shown["peer"]) == (
        "Hello Ann",
        "HTTP",
        "waiting",
        "1069",
    )

    simulator.call(f"/api/handsets/{ANN}/power", {"on": True})

    assert wait_until(lambda: bool(house.heard), 20)
    path, report = house.heard[0]
    assert path == "/hooks/gateways/secret/receipts"
    assert report == {
        "receipts": [{"id": said["id"], "status": "delivered", "code": "DELIVRD", "to": f"+{ANN}"}]
    }
    assert simulator.waits_for(receipts=1)
    assert simulator.journal()[-1]["way"] == "HTTP"


def test_the_carriers_switches_hold_for_providers_too(simulator: Simulator, house: House):
    simulator.call("/api/carrier", {"throttle": True})
    assert text(simulator)[1] == {"status": "slow_down"}

    simulator.call("/api/carrier", {"throttle": False, "lose_receipts": True})
    assert text(simulator)[1]["status"] == "accepted"
    assert simulator.waits_for(receipts_lost=1) and house.heard == []


def test_what_is_no_way_or_no_address_is_refused(simulator: Simulator):
    assert simulator.answer("/api/ways", {"way": "Pigeon", "callback": ""})[0] == 400
    assert simulator.answer("/api/ways", {"way": "HTTP", "callback": "javascript:alert(1)"})[0] == 400
    assert [card["way"] for card in simulator.call("/api/ways")] == [
        "CMPP",
        "Aliyun",
        "Tencent",
        "Twilio",
        "HTTP",
    ]
