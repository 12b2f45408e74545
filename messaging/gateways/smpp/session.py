"""One SMPP connection: its words for what every windowed session does (`WindowedSession`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from messaging.gateways.base import BindRefused, Deliver, OutboundSms, ReceiptIn, SubmitResult
from messaging.gateways.long_message import Entry
from messaging.gateways.smpp import codec, pdus, texts
from messaging.gateways.smpp.pdus import MalformedPdu
from messaging.gateways.smpp.receipts import OUTCOMES, submit_action
from messaging.gateways.smpp.settings import BindKind, SmppSettings
from messaging.gateways.smpp.submit_encoder import SubmitEncoder
from messaging.gateways.windowed_session import WindowedSession

_BINDS = {
    "transceiver": pdus.BIND_TRANSCEIVER,
    "transmitter": pdus.BIND_TRANSMITTER,
    "receiver": pdus.BIND_RECEIVER,
}
_INTERNATIONAL = chr(texts.TON_INTERNATIONAL)
_new = tuple.__new__
_RAW_WORDS = {status: f"0x{status:02X}" for status in range(0x100)}


class SmppSession(WindowedSession[int]):
    """The protocol of one connection; not reusable."""

    PROBE = "enquire_link"
    _settings: SmppSettings
    _delivers_open: set[int]

    def __init__(
        self,
        settings: SmppSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[SmppSession, str], None],
        number: int = 0,
        as_bind: BindKind | None = None,
    ) -> None:
        """`as_bind`: what this connection logs in as, when the account has more than one."""
        super().__init__(
            settings,
            on_results,
            on_delivers,
            on_closed,
            number,
            quiet_seconds=settings.enquire_seconds,
            probe_timeout_seconds=settings.enquire_timeout_seconds,
        )
        self._bind_command = _BINDS[as_bind or settings.bind]
        self._encoder = SubmitEncoder(settings)
        self._delivers_open = set()

    # ── for the owner ───────────────────────────────────────────────────────────────────────────────────

    async def bind(self) -> None:
        """Log in. Raises `BindRefused` with the SMSC's status, `LinkDown` on silence or a lost connection."""
        account = self._settings
        body = pdus.Bind(account.system_id, account.password, account.system_type)
        self._write(codec.encode(pdus.Pdu(self._bind_command, self._window.next_sequence(), body=body)))
        status = await self._welcome("bind")
        if status:
            self._reason = f"bind refused with status 0x{status:02X}"
            self._close_transport()
            raise BindRefused(status)
        self._begin()

    def answer_delivers(self, sequences: Sequence[int], status: int) -> None:
        """Write the deliver_sm_resp of each; one that is answered already is left alone."""
        open_ = self._delivers_open
        ours = open_.intersection(sequences)
        open_ -= ours
        if len(ours) != len(sequences):
            sequences = [sequence for sequence in dict.fromkeys(sequences) if sequence in ours]
        self._write(codec.deliver_answers(status, sequences))
        self._read_on()

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, buffer: bytes) -> None:
        """The hot loop: answers to submits and plain receipts are read in place, the rest goes to `_read_other`."""
        position, end = 0, len(buffer)
        pending, results, read_header = self._window.pending, self._results, codec.read_header
        id_form, characters = self._settings.receipt_ids, ""
        while end - position >= pdus.HEADER_OCTETS:
            length, command, status, sequence = read_header(buffer, position)
            stop = position + length
            if stop > end or length < pdus.HEADER_OCTETS:
                codec.frame_length(buffer, position)  # raises when it can never be whole
                break
            if command == pdus.SUBMIT_SM_RESP:
                entry = pending.pop(sequence, None)
                text_end = buffer.find(0, position + 16, stop)
                octets = buffer[position + 16 : stop if text_end < 0 else text_end]
                provider_id = octets[: texts.PROVIDER_ID_MAX].decode("latin-1") or None
                if id_form != "exact":
                    provider_id = texts.submit_id(provider_id, id_form)
                if entry.__class__ is OutboundSms and not status:
                    results.append(
                        SubmitResult(entry.attempt_id, "accepted", provider_id, "0x00", (provider_id,))
                    )
                else:
                    self._answered(entry, sequence, status, provider_id)
            elif command == pdus.DELIVER_SM and id_form == "exact":
                characters = characters or buffer.decode("latin-1")
                if not self._read_plain_receipt(buffer, characters, position, stop, sequence):
                    self._read_deliver(buffer, position, stop, sequence)
            else:
                self._read_other(buffer, position, stop)
            position = stop
        self._tail = buffer[position:]

    def _read_other(self, buffer: bytes, start: int, stop: int) -> None:
        _, command, status, sequence = codec.read_header(buffer, start)
        if command == pdus.DELIVER_SM:
            self._read_deliver(buffer, start, stop, sequence)
        elif command == pdus.ENQUIRE_LINK:
            self._write(codec.frame(pdus.ENQUIRE_LINK_RESP, 0, sequence))
        elif command == pdus.UNBIND:
            self._reason = "unbound by the SMSC"
            self._write(codec.frame(pdus.UNBIND_RESP, 0, sequence))
            self._close_transport()
        elif command == pdus.UNBIND_RESP:
            self._close_transport()
        elif command == pdus.RESPONSE | self._bind_command or (
            command == pdus.GENERIC_NACK and not self.is_bound
        ):
            if not self._answer.done():
                self._answer.set_result(status)
        elif command == pdus.GENERIC_NACK:
            self._answered(self._window.pending.pop(sequence, None), sequence, status or 0xFF, None)
        elif not command & pdus.RESPONSE:
            self._write(codec.frame(pdus.GENERIC_NACK, pdus.STATUS_INVALID_COMMAND, sequence))

    def _read_plain_receipt(
        self, buffer: bytes, characters: str, start: int, stop: int, sequence: int
    ) -> bool:
        """Nearly all receipts, in one look; False when it is something else. Tuples made as such: half the cost."""
        found = texts.find_plain_receipt(characters, start + pdus.HEADER_OCTETS, stop)
        if found is None:
            return False
        ton, phone, raw, provider_id, stat, err, parameters = found.groups()
        if parameters:
            if not texts.only_confirms(parameters, provider_id, stat):
                return False
            stop -= len(parameters)
        if buffer[stop - len(raw) - 1] != len(raw):
            return False
        outcome, is_final = OUTCOMES[stat]
        if ton == _INTERNATIONAL:
            phone = "+" + phone
        receipt = _new(ReceiptIn, (provider_id, stat, err, outcome, is_final, raw, phone))
        self._delivers.append(_new(Deliver, ((self.number, sequence), receipt, None)))
        return True

    def _read_deliver(self, buffer: bytes, start: int, stop: int, sequence: int) -> None:
        """A body that cannot be read is refused by itself; the stream goes on."""
        try:
            message = codec.decode_short_message(buffer, start + pdus.HEADER_OCTETS, stop)
        except MalformedPdu:
            self._write(codec.frame(pdus.GENERIC_NACK, pdus.STATUS_INVALID_LENGTH, sequence))
            return
        token = (self.number, sequence)
        if texts.is_receipt(message):
            self._delivers.append(
                Deliver(token, texts.read_receipt(message, self._settings.receipt_ids), None)
            )
        else:
            self._delivers.append(
                Deliver(token, None, texts.read_inbound(message, self._settings.default_alphabet))
            )

    def _answered(self, entry: Entry | None, sequence: int, status: int, provider_id: str | None) -> None:
        """An answer that is not simply yes: a no, a part of a long message, or one whose time had run out."""
        is_late = entry is None
        entry = entry or self._window.take_late(sequence)
        if entry is None:
            return
        outcome = submit_action(status)
        raw = _RAW_WORDS.get(status) or f"0x{status:08X}"
        provider_id = provider_id if outcome == "accepted" else None
        if isinstance(entry, OutboundSms):
            self._results.append(
                SubmitResult(entry.attempt_id, outcome, provider_id, raw, (provider_id,), is_late)
            )
        elif result := entry[0].settle(entry[1], outcome, provider_id, raw):
            self._results.append(result)

    def _hand_over_delivers(self) -> None:
        self._delivers_open.update([deliver.token[1] for deliver in self._delivers])
        super()._hand_over_delivers()

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────

    def _queue(self, message: OutboundSms) -> Sequence[SubmitResult]:
        if (
            len(message.parts) == 1 and not message.accepted_parts
        ):  # its own entry, encoded when it is written
            self._waiting.append(message)
            return ()
        return super()._queue(message)

    def _pieces(self, message: OutboundSms) -> tuple[bytes, ...]:
        return self._encoder.pieces(message)

    def _encode(self, entry: Entry, sequence: int) -> bytes:
        return self._encoder.encode(entry, sequence)

    def _log_out(self) -> None:
        self._write(codec.frame(pdus.UNBIND, 0, self._window.next_sequence()))

    def _probe(self) -> None:
        self._write(codec.frame(pdus.ENQUIRE_LINK, 0, self._window.next_sequence()))

    def _not_understood(self) -> None:
        self._write(codec.frame(pdus.GENERIC_NACK, pdus.STATUS_INVALID_LENGTH, 0))
