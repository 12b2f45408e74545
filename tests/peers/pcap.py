"""A recording of a conversation that Wireshark can read, without any right to capture.

`Recorder` stands between two ends of a real connection; `write_pcap` gives what passed an IPv4 and a TCP header
each. Nothing of ours is asked what the octets mean.
"""

from __future__ import annotations

import asyncio
import struct
import subprocess


class Recorder:
    """Passes octets on in both directions and keeps them in the order they came: (from the client, octets)."""

    def __init__(self, port):
        self.target, self.passed = port, []
        self._tasks = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        ways = (self._pass(reader, far_writer, True), self._pass(far_reader, writer, False))
        self._tasks.add(asyncio.current_task())
        await asyncio.gather(*ways)

    async def _pass(self, reader, writer, is_client):
        while octets := await reader.read(65_536):
            self.passed.append((is_client, octets))
            writer.write(octets)
        writer.close()


SEGMENT_OCTETS = 1_400


def write_pcap(path, conversations, port):
    """Both directions of each TCP connection, in segments, with sequence numbers that join."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))  # 101: bare IP
        when = 0
        for number, passed in enumerate(conversations):
            when = _write_conversation(file, passed, port, 40_000 + number, when)


def _write_conversation(file, passed, port, client, when):
    sequence = {True: 1, False: 1}
    for is_client, octets in passed:
        for start in range(0, len(octets), SEGMENT_OCTETS):
            piece = octets[start : start + SEGMENT_OCTETS]
            ports = (client, port) if is_client else (port, client)
            tcp = struct.pack(
                ">HHIIBBHHH",
                *ports,
                sequence[is_client],
                sequence[not is_client],
                0x50,
                0x18,
                65_535,
                0,
                0,
            )
            sequence[is_client] += len(piece)
            ends = (b"\x0a\0\0\1", b"\x0a\0\0\2") if is_client else (b"\x0a\0\0\2", b"\x0a\0\0\1")
            length = 40 + len(piece)
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, when & 0xFFFF, 0, 64, 6, 0, *ends)
            when += 1
            file.write(struct.pack("<IIII", 1_000_000 + when, 0, length, length) + ip + tcp + piece)
    return when


ERROR = "8388608"  # Wireshark's highest severity; less is a remark


def dissect(tshark, path, port, protocol, fields):
    """(rows, complaints): the fields of each frame in which the dissector found the protocol, as lists, and
    the frames that it calls malformed or wrong.
    """
    words = ["_ws.malformed", "_ws.expert.severity", "frame.protocols", *fields]
    command = [tshark, "-n", "-r", str(path), "-d", f"tcp.port=={port},{protocol}", "-T", "fields"]
    command += [word for field in words for word in ("-e", field)] + [
        "-E",
        "separator=/t",
        "-E",
        "aggregator=;",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    frames = [
        [cell.split(";") if cell else [] for cell in line.split("\t")] for line in done.stdout.splitlines()
    ]
    complaints = [frame for frame in frames if frame[0] or ERROR in frame[1]]
    return [frame[3:] for frame in frames if protocol in str(frame[2])], complaints
