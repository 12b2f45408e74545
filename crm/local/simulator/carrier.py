"""The carrier: answers submits, hands texts to the handsets, sends receipts and replies back."""

import asyncio
import itertools
import time
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import smpp34
from smpp34 import _smpp34 as codes  # the constants, where the wheel's stubs list them

from crm.local.simulator.decoding import ALPHABETS, Part, read_text, split_header, write_reply
from crm.local.simulator.handsets import DELIVERED, LOST, SENDING, SENT, WAITING, Fate, Handset, Text, Tray
from crm.local.simulator.journal import Journal
from crm.local.simulator.post import Letter, Post

if TYPE_CHECKING:
    from crm.local.simulator.roads import Road

RECEIPT = 0x04
SMPP = "SMPP"
WANTS_RECEIPT, WANTS_FAILURE_RECEIPT = 1, 2
STATES = {"DELIVRD": 2, "EXPIRED": 3, "UNDELIV": 5}
STAT_OF_FATE = {"undelivered": "UNDELIV", "expired": "EXPIRED"}
UNFINISHED_MAX = 2_000
HELD_MAX = 10_000
RATE_WINDOW_SECONDS = 3
REPLY_WAIT_SECONDS = 3


@dataclass
class Mood:
    """How the carrier behaves; all of it can be switched while it runs."""

    throttle: bool = False
    lose_receipts: bool = False
    answer_delay_ms: int = 0
    receipt_delay_ms: int = 400


@dataclass(frozen=True)
class Submit:
    """An accepted submit. `reference` is the sender's own (user_message_reference), given back in the receipt. `way` is the
    road it came by.
    """

    id: str
    system_id: str
    source: str
    destination: str
    data_coding: int
    part: Part
    registered_delivery: int
    reference: bytes | None
    at: float
    way: str = SMPP


class Carrier:
    """One SMSC with its handsets. `run()` serves until cancelled."""

    def __init__(self, port: int, journal: Journal) -> None:
        self.server = smpp34.Server(
            host="127.0.0.1", port=port, system_id="REGULARS-SIM", inbound_capacity=20_000
        )
        self.journal, self.mood, self.tray, self.post = journal, Mood(), Tray(), Post()
        self.counts: Counter[str] = Counter()
        self.roads: dict[str, Road] = {}
        self._inbox: deque[smpp34.SubmitSmEvent] = deque()
        self._arrived = asyncio.Event()
        self._ids = itertools.count(time.time_ns() // 1_000)
        self._references = itertools.count(1)
        self._unfinished: OrderedDict[tuple[str, str, int, int], tuple[Text, dict[int, bytes]]] = (
            OrderedDict()
        )
        self._held: dict[str, list[Submit]] = {}
        self._rate: deque[tuple[float, int]] = deque()
        self._systems: dict[str, str] = {}

    async def run(self) -> None:
        """Serve SMPP. The server is already started."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._answer())
            tasks.create_task(self.post.run())

    def stats(self) -> dict[str, Any]:
        """Counters since the start or the last reset."""
        now = time.monotonic()
        recent = sum(count for at, count in self._rate if now - at < RATE_WINDOW_SECONDS)
        names = (
            "submits",
            "accepted",
            "throttled",
            "refused",
            "delivered",
            "receipts",
            "receipts_lost",
            "replies",
        )
        return {name: self.counts[name] for name in names} | {
            "submits_per_second": round(recent / RATE_WINDOW_SECONDS, 1),
            "binds": len(self.post.sessions),
            "pending": self.post.pending(),
            "held": sum(map(len, self._held.values())),
            "handsets": len(self.tray.handsets),
            "carrier": vars(self.mood),
        }

    def reset(self) -> None:
        """Forget handsets, counters and moods; binds stay."""
        self.mood = Mood()
        self.counts.clear()
        self.tray.clear()
        self.post.clear()
        for road in self.roads.values():
            road.clear()
        self._held.clear()
        self._unfinished.clear()

    def switch(self, phone: str, is_on: bool, fate: Fate) -> Handset:
        """Switch a phone. Off: texts wait (and arrive when it is on again), or come back undelivered or
        expired.
        """
        handset = self.tray.handset(phone)
        handset.is_on, handset.fate = is_on, fate
        self.tray.touch(handset)
        if is_on:
            for submit in self._held.pop(handset.phone, []):
                self._arrive(submit)
        return handset

    def take(self, submit: Submit) -> None:
        """A text that came by another road, taken and journalled there."""
        self._count_rate(1)
        self.counts["accepted"] += 1
        self._arrive(submit)

    async def reply(self, phone: str, text: str, to: str = "") -> tuple[Text, bool]:
        """Send a text from a phone; says whether the other side acknowledged it within three seconds.

        It goes to `to`, or to the sender of the newest text the phone got; by the road that one came.
        """
        heard = self.tray.handset(phone).last_heard()
        peer, system_id = to or (heard.peer if heard else ""), heard.system_id if heard else ""
        way = heard.way if heard else SMPP
        said = self.tray.add(
            phone, direction="out", peer=peer, text=text, state=SENDING, system_id=system_id, way=way
        )
        self.counts["replies"] += 1
        waiting = asyncio.create_task(self._send_reply(phone, said))
        done, _ = await asyncio.wait([waiting], timeout=REPLY_WAIT_SECONDS)
        return said, bool(done)

    async def _send_reply(self, phone: str, said: Text) -> None:
        if said.way in self.roads:
            await self.roads[said.way].reply(self.tray.handset(phone).phone, said.peer, said.text)
        else:
            letters = [
                Letter(said.system_id, self._reply_fields(phone, said.peer, *part), lambda: None)
                for part in write_reply(said.text, next(self._references))
            ]
            for letter in letters:
                self.post.send(letter, 0)
            for letter in letters:
                await letter.done.wait()
        said.state = SENT
        self.tray.changed.add(self.tray.handset(phone).phone)

    def _reply_fields(
        self, phone: str, peer: str, body: bytes, data_coding: int, esm_class: int
    ) -> dict[str, Any]:
        return {
            "source_addr": phone,
            "source_addr_ton": 1,
            "source_addr_npi": 1,
            "destination_addr": peer,
            "short_message": body,
            "data_coding": data_coding,
            "esm_class": esm_class,
        }

    async def _listen(self) -> None:
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.SubmitSmEvent):
                self._inbox.append(event)
                self._arrived.set()
            elif isinstance(event, smpp34.Esme):
                self._systems[event.session_id] = event.system_id
                self.post.bound(event)
            else:
                self.post.unbound(event.session_id)

    async def _answer(self) -> None:
        """Take what arrived as one batch: journal first, then answer, then hand over."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            events, self._inbox = self._inbox, deque()
            self._count_rate(len(events))
            taken = [(event, self._read(event)) for event in events if self._may_enter(event)]
            self.journal.write([self._smpp_entry(event, submit) for event, submit in taken])
            for event, submit in taken:
                self._accept(event, submit.id)
                self._arrive(submit)

    def _count_rate(self, count: int) -> None:
        self.counts["submits"] += count
        now = time.monotonic()
        self._rate.append((now, count))
        while now - self._rate[0][0] > RATE_WINDOW_SECONDS:
            self._rate.popleft()

    def _may_enter(self, event: smpp34.SubmitSmEvent) -> bool:
        if self.mood.throttle:
            self.counts["throttled"] += 1
            event.reject(codes.ESME_RTHROTTLED)
        elif not event.destination_addr.lstrip("+").isdigit():
            self.counts["refused"] += 1
            event.reject(codes.ESME_RINVDSTADR)
        else:
            return True
        return False

    def _accept(self, event: smpp34.SubmitSmEvent, message_id: str) -> None:
        self.counts["accepted"] += 1
        if self.mood.answer_delay_ms:
            asyncio.get_running_loop().call_later(self.mood.answer_delay_ms / 1000, event.accept, message_id)
        else:
            event.accept(message_id)

    def _read(self, event: smpp34.SubmitSmEvent) -> Submit:
        optional = {tlv.tag: tlv.value for tlv in event.tlvs}
        body = event.short_message or optional.get(codes.TLV_MESSAGE_PAYLOAD, b"")
        part = split_header(body, event.esm_class)
        if codes.TLV_SAR_MSG_REF_NUM in optional:
            sar = (codes.TLV_SAR_MSG_REF_NUM, codes.TLV_SAR_TOTAL_SEGMENTS, codes.TLV_SAR_SEGMENT_SEQNUM)
            part = Part(body, *(int.from_bytes(optional.get(tag, b"\x01"), "big") for tag in sar))
        return Submit(
            id=str(next(self._ids)),
            system_id=self._systems.get(event.session_id, ""),
            source=event.source_addr,
            destination=event.destination_addr.lstrip("+"),
            data_coding=event.data_coding,
            part=part,
            registered_delivery=event.registered_delivery,
            reference=optional.get(codes.TLV_USER_MESSAGE_REFERENCE),
            at=time.time(),
        )

    def entry(self, submit: Submit) -> dict[str, Any]:
        """The journal's line of a submit, whatever its road."""
        return {
            "id": submit.id,
            "at": round(submit.at, 6),
            "system_id": submit.system_id,
            "from": submit.source,
            "to": submit.destination,
            "data_coding": submit.data_coding,
            "part": submit.part.number,
            "parts": submit.part.total,
            "text": read_text(submit.part.body, submit.data_coding),
            "way": submit.way,
        }

    def _smpp_entry(self, event: smpp34.SubmitSmEvent, submit: Submit) -> dict[str, Any]:
        return self.entry(submit) | {
            "esm_class": event.esm_class,
            "reference": int.from_bytes(submit.reference, "big") if submit.reference else None,
            "hex": event.short_message.hex(),
        }

    def _arrive(self, submit: Submit) -> None:
        """The text reaches the phone, or meets its fate."""
        handset = self.tray.handset(submit.destination)
        if handset.is_on:
            self._show(submit, DELIVERED)
            self.counts["delivered"] += 1
            self._receipt(submit, "DELIVRD")
        elif handset.fate != "wait":
            self._show(submit, LOST)
            self._receipt(submit, STAT_OF_FATE[handset.fate])
        else:
            held = self._held.setdefault(handset.phone, [])
            if len(held) < HELD_MAX:
                held.append(submit)
            self._show(submit, WAITING)

    def _show(self, submit: Submit, state: str) -> None:
        """Put it in the thread; the parts of a long text share one bubble; a text that waited is already
        there.
        """
        handset = self.tray.handset(submit.destination)
        known = next((text for text in handset.texts if submit.id in text.ids), None)
        if known is not None:
            known.state, known.at = state, time.time()
            self.tray.touch(handset)
        elif submit.part.total == 1:
            self._new_text(submit, state, read_text(submit.part.body, submit.data_coding))
        else:
            self._show_part(submit, state)

    def _show_part(self, submit: Submit, state: str) -> None:
        key = (submit.destination, submit.source, submit.part.reference, submit.part.total)
        if key not in self._unfinished:
            self._unfinished[key] = (self._new_text(submit, state, ""), {})
            if len(self._unfinished) > UNFINISHED_MAX:
                self._unfinished.popitem(last=False)
        text, bodies = self._unfinished[key]
        bodies[submit.part.number] = submit.part.body
        text.ids.append(submit.id)
        text.parts_here, text.state = len(bodies), state
        text.text = read_text(b"".join(bodies[number] for number in sorted(bodies)), submit.data_coding)
        self.tray.touch(self.tray.handset(submit.destination))
        if len(bodies) == submit.part.total:
            del self._unfinished[key]

    def _new_text(self, submit: Submit, state: str, text: str) -> Text:
        return self.tray.add(
            submit.destination,
            direction="in",
            peer=submit.source,
            text=text,
            state=state,
            alphabet=ALPHABETS.get(submit.data_coding, str(submit.data_coding)),
            parts=submit.part.total,
            parts_here=1,
            system_id=submit.system_id,
            way=submit.way,
            ids=[submit.id] if submit.part.total == 1 else [],
        )

    def _receipt(self, submit: Submit, stat: str) -> None:
        wanted = submit.registered_delivery & 3
        if wanted != WANTS_RECEIPT and not (wanted == WANTS_FAILURE_RECEIPT and stat != "DELIVRD"):
            return
        if self.mood.lose_receipts:
            self.counts["receipts_lost"] += 1
            return
        pause = (self.mood.receipt_delay_ms + self.mood.answer_delay_ms) / 1000
        if road := self.roads.get(submit.way):
            asyncio.get_running_loop().call_later(pause, road.receipt, submit, stat, self._count_receipt)
        else:
            self.post.send(
                Letter(submit.system_id, _receipt_fields(submit, stat), self._count_receipt), pause
            )

    def _count_receipt(self) -> None:
        self.counts["receipts"] += 1


def _receipt_fields(submit: Submit, stat: str) -> dict[str, Any]:
    """A receipt in the usual text form and as optional parameters."""
    submitted, done = (time.strftime("%y%m%d%H%M", time.gmtime(at)) for at in (submit.at, time.time()))
    is_delivered = stat == "DELIVRD"
    text = (
        f"id:{submit.id} sub:001 dlvrd:{is_delivered:03d} submit date:{submitted} done date:{done} "
        f"stat:{stat} err:{0 if is_delivered else 1:03d} text:"
    )
    optional = [
        smpp34.Tlv(codes.TLV_RECEIPTED_MESSAGE_ID, submit.id.encode() + b"\0"),
        smpp34.Tlv(codes.TLV_MESSAGE_STATE, bytes([STATES[stat]])),
    ]
    if submit.reference:
        optional.append(smpp34.Tlv(codes.TLV_USER_MESSAGE_REFERENCE, submit.reference))
    return {
        "source_addr": submit.destination,
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "destination_addr": submit.source,
        "short_message": text.encode(),
        "esm_class": RECEIPT,
        "tlvs": optional,
    }
