"""Kannel as the peer of `send`: its bearerbox and smsbox, bound to the same carrier."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from crm.bench.wire import Sink

CONNECTIONS = 16
TEXT = "【Bench】Hello, 20% off this week. Reply STOP to opt out"
_CONF = """
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {smsbox}
box-allow-ip = "127.0.0.1"
dlr-storage = internal
log-level = 4
log-file = "{folder}/bearerbox.log"
sms-resend-retry = 0
{store}

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {carrier}
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = ""
max-pending-submits = 1000
throughput = 0

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
global-sender = bench
log-level = 4
log-file = "{folder}/smsbox.log"

group = sendsms-user
username = bench
password = bench
max-messages = 10
"""


class KannelMissing(Exception):
    """No bearerbox here: `apt-get install kannel`, or its two programs on the PATH."""


def kannel_rate(total: int, *, spooled: bool) -> float:
    """Texts a second from the first HTTP request to the last receipt the carrier saw acknowledged.

    `spooled`: it writes every text to its spool first, as whoever must lose none has to set it up.
    """
    sink = Sink()
    try:
        with _running(sink.port, spooled=spooled) as port:
            started = time.perf_counter()
            asyncio.run(_post(port, total))
            while sink.counts()[1] < total:
                if time.perf_counter() - started > 300:
                    raise TimeoutError(f"Kannel handed over {sink.counts()} of {total}")
                time.sleep(0.05)
            return total / (time.perf_counter() - started)
    finally:
        sink.stop()


@contextmanager
def _running(carrier: int, *, spooled: bool) -> Iterator[int]:
    bearerbox, smsbox = _program("bearerbox"), _program("smsbox")
    ports = dict(zip(("admin", "smsbox", "http"), _free_ports(3), strict=True))
    with tempfile.TemporaryDirectory(prefix="kannel") as folder:
        store = f'store-type = spool\nstore-location = "{folder}/spool"' if spooled else ""
        (Path(folder) / "spool").mkdir()
        conf = Path(folder) / "kannel.conf"
        conf.write_text(_CONF.format(folder=folder, carrier=carrier, store=store, **ports))
        boxes = [_start(bearerbox, conf, ports["smsbox"]), _start(smsbox, conf, ports["http"])]
        try:
            time.sleep(1)  # its bind to the carrier
            yield ports["http"]
        finally:
            for box in reversed(boxes):
                box.kill()
                box.wait()


def _start(program: str, conf: Path, port: int) -> subprocess.Popen[bytes]:
    box = subprocess.Popen(
        [program, str(conf)], cwd=conf.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 15
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return box
        time.sleep(0.1)
    box.kill()
    raise TimeoutError(f"{Path(program).name} did not open its port")


async def _post(port: int, total: int) -> None:
    """Its own interface for texts, over a few kept connections."""
    query = f"username=bench&password=bench&coding=2&charset=UTF-8&dlr-mask=31&text={quote(TEXT)}&to="
    numbers = iter(range(total))

    async def some() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            path = f"/cgi-bin/sendsms?{query}8613{number:09d}&dlr-url=http%3A%2F%2F127.0.0.1%3A1%2F"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: keep-alive\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 202"):
                raise ConnectionError(head.split(b"\r\n")[0].decode())
        writer.close()

    await asyncio.gather(*(some() for _ in range(CONNECTIONS)))


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found:
        raise KannelMissing(str(KannelMissing.__doc__))
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
