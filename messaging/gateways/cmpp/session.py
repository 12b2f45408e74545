"""One CMPP connection: its words for what every windowed session does (`WindowedSession`).

The protocol's own advice, to repeat a submit after T, would send a text twice: that decision is the caller's.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import cast

from messaging.gateways.base import BindRefused, Deliver, LinkDown, OutboundSms, SubmitResult
from messaging.gateways.cmpp import codec, pdus, texts
from messaging.gateways.cmpp.pdus import (
    CodecError,
    Connect,
    ConnectResponse,
    DeliverMessage,
    MessageResponse,
    Pdu,
)
from messaging.gateways.cmpp.receipts import submit_action
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.cmpp.submit_encoder import SubmitEncoder, beijing_now
from messaging.gateways.long_message import Entry, LongMessage
from messaging.gateways.windowed_session import WindowedSession

_STRUCTURE_WRONG = 1  # a DELIVER_RESP's Result
_FINAL_STATUSES = frozenset({2, 3, 4})  # of a log-in: unknown source, wrong proof, version too high


class CmppSession(WindowedSession[ConnectResponse]):
    """The protocol of one connection; not reusable."""

    PROBE = "ACTIVE_TEST"
    _settings: CmppSettings
    _delivers_open: dict[int, int]  # sequence → Msg_Id, which the answer repeats

    def __init__(
        self,
        settings: CmppSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[CmppSession, str], None],
        number: int = 0,
    ) -> None:
        """What is written is as wide as the account's version until the gateway has told its own."""
        super().__init__(
            settings,
            on_results,
            on_delivers,
            on_closed,
            number,
            quiet_seconds=settings.active_test_seconds,
            probe_timeout_seconds=settings.active_test_timeout_seconds,
        )
        self._wide = pdus.is_wide(pdus.VERSION_OCTETS[settings.version])
        self._encoder = SubmitEncoder(settings)
        self._delivers_open = {}

    # ── for the owner ───────────────────────────────────────────────────────────────────────────────────

    async def bind(self) -> None:
        """Log in. Raises `BindRefused` with the gateway's status, `LinkDown` on silence, a lost connection,
        or a gateway that does not know the secret (when the account asks for that proof).
        """
        account = self._settings
        timestamp = int(f"{beijing_now():%m%d%H%M%S}")
        proof = codec.source_authenticator(account.sp_id, account.secret, timestamp)
        asked = pdus.VERSION_OCTETS[account.version]
        body = Connect(account.sp_id, proof, asked, timestamp)
        self._write(codec.encode(Pdu(pdus.CONNECT, self._window.next_sequence(), body), self._wide))
        answer = await self._welcome("CONNECT")
        if answer.status:
            self._reason = f"log-in refused with status {answer.status}"
            self._close_transport()
            raise BindRefused(
                answer.status, is_final=answer.status in _FINAL_STATUSES, word=f"CMPP {answer.status}"
            )
        if account.checks_gateway and not self._is_proven(answer, proof):
            self.abort("the gateway does not know the secret")
            raise LinkDown(self._reason)
        # An older gateway answers with its own, highest version: the lower of the two is spoken.
        self._wide = pdus.is_wide(min(asked, answer.version or asked))
        self._begin()

    def answer_delivers(self, sequences: Sequence[int], status: int) -> None:
        """Write the DELIVER_RESP of each; one that is answered already is left alone.

        Not 0: nothing is written. A gateway must send again what has no answer after T; what it does with a
        Result other than 0 is nowhere said, and a receipt it gave up would be lost.
        """
        known = [
            (sequence, msg_id)
            for sequence in dict.fromkeys(sequences)
            if (msg_id := self._delivers_open.pop(sequence, None)) is not None
        ]
        if not status:
            self._write(codec.deliver_answers(known, 0, self._wide))
        self._read_on()

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, buffer: bytes) -> None:
        position, end = 0, len(buffer)
        while end - position >= codec.HEADER_OCTETS:
            stop = position + codec.frame_length(buffer, position)
            if stop > end:
                break
            self._read_pdu(buffer[position:stop])
            position = stop
        self._tail = buffer[position:]

    def _read_pdu(self, octets: bytes) -> None:
        _, command, sequence = codec.read_header(octets)
        if command == pdus.ACTIVE_TEST:
            self._write(codec.encode(Pdu(pdus.ACTIVE_TEST_RESP, sequence), self._wide))
        elif command == pdus.DELIVER:
            self._read_deliver(octets, sequence)
        elif command == pdus.TERMINATE:
            self._reason = "closed by the gateway"
            self._write(codec.frame(pdus.TERMINATE_RESP, sequence))
            self._close_transport()
        elif command == pdus.TERMINATE_RESP:
            self._close_transport()
        elif command == pdus.SUBMIT_RESP:
            answer = cast(MessageResponse, codec.decode(octets, self._wide).body)
            self._answered(sequence, answer)
        elif command == pdus.CONNECT_RESP and not self._answer.done():
            self._answer.set_result(cast(ConnectResponse, codec.decode(octets, self._wide).body))

    def _read_deliver(self, octets: bytes, sequence: int) -> None:
        """A body that cannot be read is refused by itself; the stream goes on."""
        try:
            message = cast(DeliverMessage, codec.decode(octets, self._wide).body)
        except CodecError:
            msg_id = int.from_bytes(octets[codec.HEADER_OCTETS :][:8], "big")
            self._write(codec.deliver_answers([(sequence, msg_id)], _STRUCTURE_WRONG, self._wide))
            return
        token = (self.number, sequence)
        self._delivers_open[sequence] = message.msg_id
        if message.registered_delivery == 1:
            self._delivers.append(Deliver(token, texts.read_receipt(message), None))
        else:
            self._delivers.append(Deliver(token, None, texts.read_inbound(message)))

    def _answered(self, sequence: int, answer: MessageResponse) -> None:
        """One part's answer, perhaps after its time had run out."""
        entry: Entry | None = self._window.pending.pop(sequence, None) or self._window.take_late(sequence)
        if entry is None or isinstance(entry, OutboundSms):
            return
        outcome = submit_action(answer.result, self._settings.result_actions)
        provider_id = str(answer.msg_id) if outcome == "accepted" and answer.msg_id else None
        result = entry[0].settle(entry[1], outcome, provider_id, f"CMPP {answer.result}")
        if result:
            self._results.append(result)

    def _is_proven(self, answer: ConnectResponse, proof: bytes) -> bool:
        """With the status in one octet or in four: gateways do both, whatever their version."""
        return any(
            hmac.compare_digest(
                codec.gateway_authenticator(answer.status, proof, self._settings.secret, octets),
                answer.authenticator,
            )
            for octets in (1, 4)
        )

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────

    def _pieces(self, message: OutboundSms) -> tuple[bytes, ...]:
        return self._encoder.pieces(message)

    def _encode(self, entry: Entry, sequence: int) -> bytes:
        return self._encoder.encode(cast(tuple[LongMessage, int], entry), sequence, self._wide)

    def _log_out(self) -> None:
        self._write(codec.frame(pdus.TERMINATE, self._window.next_sequence()))

    def _probe(self) -> None:
        self._write(codec.frame(pdus.ACTIVE_TEST, self._window.next_sequence()))
