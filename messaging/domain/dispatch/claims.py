"""Claiming: from queued rows to messages ready for the wire, their attempts committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from messaging.domain.dispatch.database import Connection, Line
from messaging.domain.dispatch.lease import Lease
from messaging.domain.dispatch.mirror import mirrored, provider_text
from messaging.domain.outbox import PermittedHours
from messaging.encoding import Encoding, UnsendableText, split_parts
from messaging.enums import PRIORITY, TEMPLATE_KINDS, MessageClass
from messaging.gateways.base import OutboundSms, ProviderText
from messaging.literals import numbers
from messaging.sql import statement

URGENT = sorted(PRIORITY[name] for name in MessageClass if name != MessageClass.MARKETING)
ALL = sorted(PRIORITY.values())

_TAKE = statement("claim_take")
_GATE = statement("claim_gate")
_KNOWN_PARTS = statement("known_parts")


class Claimed(NamedTuple):
    """A message whose attempt is committed: it has to be handed over, or reported as not sent."""

    attempt_id: int
    message_id: int
    number: int
    phone: str
    text: str
    encoding: str
    parts: int
    message_class: str
    validity_seconds: int
    handover: int
    known_parts: Mapping[int, str] = MappingProxyType({})
    provider_text: ProviderText | None = None
    is_mirrored: bool = True


class NoProviderTemplate(UnsendableText):
    """The gateway sends by its provider's templates, and none that has passed there says this text."""


class Batch(NamedTuple):
    """What a claim gave. `taken` counts ids looked at: fewer than asked for means that nothing else is due."""

    claimed: list[Claimed]
    taken: int

    def holds(self, message_class: MessageClass) -> bool:
        return any(message.message_class == message_class for message in self.claimed)


async def claim(
    line: Line,
    lease: Lease,
    hours: PermittedHours,
    limit: int,
    priorities: Sequence[int],
    at: datetime | None = None,
) -> Batch:
    """Claim up to `limit` messages of these priorities, each asked again about every rule, in one
    transaction.

    `at` None: the database's clock decides. Commits the attempts before it returns. A dead epoch claims
    nothing.
    """

    async def work(connection: Connection) -> Batch:
        cursor = await connection.execute(
            _TAKE, lease.key | {"priorities": list(priorities), "limit": limit, "at": at}
        )
        ids, taken = await cursor.fetchone() or ([], 0)
        if not ids:
            return Batch([], taken)
        values = asdict(hours) | {"ids": numbers(ids), "at": at}
        cursor = await connection.execute(_GATE, lease.key | values)
        claimed = [Claimed(*row) for row in await cursor.fetchall()]
        if lease.config.kind in TEMPLATE_KINDS:
            claimed = await _with_provider_texts(connection, lease.gateway, claimed)
        return Batch(await _with_known_parts(connection, claimed), taken)

    return await line.transaction(work)


async def _with_known_parts(connection: Connection, claimed: list[Claimed]) -> list[Claimed]:
    """A message tried before may have parts on phones already."""
    again = [message.message_id for message in claimed if message.number > 1]
    if not again:
        return claimed
    known: dict[int, dict[int, str]] = {}
    cursor = await connection.execute(_KNOWN_PARTS, {"ids": again})
    for message_id, part, provider_id in await cursor.fetchall():
        known.setdefault(message_id, {})[part] = provider_id
    return [message._replace(known_parts=known.get(message.message_id, {})) for message in claimed]


async def _with_provider_texts(connection: Connection, gateway: int, claimed: list[Claimed]) -> list[Claimed]:
    """What the provider is told in place of each text."""
    templates = await mirrored(connection, gateway, [message.message_id for message in claimed])
    found = [(message, provider_text(message.text, message.phone, templates)) for message in claimed]
    return [message._replace(provider_text=text, is_mirrored=text is not None) for message, text in found]


def outbound(message: Claimed, sender: str) -> OutboundSms:
    """A claimed message as the gateway wants it. Raises UnsendableText, NoProviderTemplate."""
    if not message.is_mirrored:
        raise NoProviderTemplate("no template at the provider")
    encoding: Encoding = "GSM-7" if message.encoding == "GSM-7" else "UCS-2"
    parts = (message.text,) if message.parts == 1 else tuple(split_parts(message.text, encoding))
    known = message.known_parts
    # A gateway may have cut one part more than we did here (a longer header): what it took is told it again.
    count = max(len(parts), *known) if known else 0
    return OutboundSms(
        message.message_id,
        message.attempt_id,
        message.phone,
        sender,
        parts,
        encoding,
        message.message_id & 0xFFFF,
        max(1, message.validity_seconds),
        tuple(known.get(number) for number in range(1, count + 1)),
        message_class=message.message_class,
        provider_text=message.provider_text,
    )
