"""Kannel, the best known open SMS gateway, bound to our phone simulator: the simulator must be an SMSC to others
than ourselves.
"""

import http.server
import subprocess
import threading
import urllib.parse
import urllib.request

import pytest

from crm.local.children import free_port, wait_until
from tests.local.conftest import simulator, simulator_process  # noqa: F401

pytestmark = pytest.mark.xdist_group("peers")
START_SECONDS = 15
FETCH_SECONDS = (
    90  # its router sleeps a minute when the box it wants has not said its name yet (sms_to_smsboxes)
)
PHONE = "8613800138000"

CORE = """
group = core
admin-port = {admin}
admin-password = admin
admin-interface = "127.0.0.1"
smsbox-port = {box}
smsbox-interface = "127.0.0.1"
log-level = 1

group = smsc
smsc = smpp
smsc-id = simulator
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = kannel
smsc-password = secret
system-type = ""
interface-version = "34"
msg-id-type = 0
reconnect-delay = 1
enquire-link-interval = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = "127.0.0.1"
log-level = 1

group = sendsms-user
username = shop
password = shop
max-messages = 5
concatenation = true

group = sms-service
keyword = default
text = "Thanks"
max-messages = 1
catch-all = true
"""


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


class Kannel:
    """Both boxes, on ports of their own."""

    def __init__(self, programs, folder, smsc_port):
        self.ports = {"admin": free_port(), "box": free_port(), "send": free_port(), "smsc": smsc_port}
        self.config = folder / "kannel.conf"
        self.config.write_text(CORE.format(**self.ports))
        self.folder, self.boxes = folder, []
        bearerbox, smsbox = programs
        self.start(bearerbox)
        assert wait_until(lambda: "online" in self.status(), START_SECONDS), self.status()
        self.start(smsbox)  # gives up at once when the other does not listen yet

    def start(self, program):
        with (self.folder / f"{len(self.boxes)}.log").open("wb") as log:
            command = [program, "-v", "2", str(self.config)]
            self.boxes.append(
                subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT)
            )

    def status(self):
        return answers(f"http://127.0.0.1:{self.ports['admin']}/status.txt?password=admin")

    def is_ready(self):
        return "smsbox" in self.status()

    def send(self, text, **more):
        words = {
            "username": "shop",
            "password": "shop",
            "to": PHONE,
            "from": "1069012345",
            "text": text,
        } | more
        return answers(
            f"http://127.0.0.1:{self.ports['send']}/cgi-bin/sendsms?{urllib.parse.urlencode(words)}"
        )

    def told(self):
        """The ends of both boxes' logs."""
        return "\n".join(log.read_text("utf-8", "replace")[-3000:] for log in self.folder.glob("*.log"))

    def stop(self):
        """At once: asked politely they take ten seconds."""
        for box in self.boxes:
            box.kill()
            box.wait()


@pytest.fixture
def bearerbox(kannel, simulator, tmp_path):  # noqa: F811
    found = Kannel(kannel, tmp_path, simulator.smsc_port)
    try:
        assert wait_until(found.is_ready, START_SECONDS), found.status()
        yield found
    finally:
        found.stop()


@pytest.fixture
def reports():
    """What Kannel tells its own customer about delivery: the kinds it fetched, 1 is delivered."""
    heard = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.path.removeprefix("/"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield heard, f"http://127.0.0.1:{server.server_port}/%d"
    server.shutdown()
    server.server_close()


def test_it_binds_sends_and_takes_our_receipts_and_replies(bearerbox, simulator, reports):  # noqa: F811
    heard, address = reports
    receipts = {"dlr-mask": "1", "dlr-url": address}
    long = "您的余额是88元。" * 12

    assert "Accepted" in bearerbox.send("Hello from Kannel", **receipts)
    assert simulator.waits_for(accepted=1)  # its queue is a heap of seconds: of one second any may be first
    assert "Accepted" in bearerbox.send(long, coding="2", charset="UTF-8", **receipts)

    # it asks a receipt for the last part of a long text only; both come back acknowledged
    assert simulator.waits_for(accepted=3, receipts=2), simulator.call("/api/stats")
    assert wait_until(lambda: heard == ["1", "1"], FETCH_SECONDS), f"{heard}\n{bearerbox.told()}"
    journal = [entry for entry in simulator.journal() if entry["system_id"] == "kannel"]
    assert journal[0]["text"] == "Hello from Kannel"
    parts = sorted(journal[1:], key=lambda entry: entry["part"])
    assert "".join(entry["text"] for entry in parts) == long
    assert [(entry["part"], entry["parts"]) for entry in parts] == [(1, 2), (2, 2)]
    assert {entry["to"] for entry in journal} == {PHONE}

    simulator.call(f"/api/handsets/{PHONE}/reply", {"text": "退订"})

    assert simulator.waits_for(accepted=4)  # "Thanks", Kannel's answer to whatever it hears
    assert simulator.thread(PHONE)[-1]["text"] == "Thanks"
