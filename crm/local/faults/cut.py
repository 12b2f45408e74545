"""A wire that is cut in the midst of a PDU: the far end has half of it, and the line is gone."""

from __future__ import annotations

import asyncio
import struct

from crm.local.faults.link import FaultyLink

BEGINNING = struct.Struct(">II")  # SMPP's and CMPP's headers begin alike: length, command
SUBMIT, SUBMIT_RESPONSE = 0x4, 0x80000004  # in both


class CutLink(FaultyLink):
    """`cut` waits for the next PDU of a command, lets half of it through and tears its connection."""

    cuts, _to_cut = 0, 0

    def cut(self, command: int) -> None:
        self._to_cut = command

    async def _there(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: asyncio.Event
    ) -> None:
        await self._carry(reader, writer, flow)

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: asyncio.Event
    ) -> None:
        await self._carry(reader, writer, flow)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: asyncio.Event
    ) -> None:
        """One PDU after another; comes back when the connection is to be torn."""
        while True:
            beginning = await reader.readexactly(BEGINNING.size)
            length, command = BEGINNING.unpack(beginning)
            pdu = beginning + await reader.readexactly(length - BEGINNING.size)
            await flow.wait()
            is_cut = command == self._to_cut
            writer.write(pdu[: length // 2] if is_cut else pdu)
            await writer.drain()
            if is_cut:
                self._to_cut = 0
                self.cuts += 1
                return
