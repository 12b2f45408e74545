"""Who holds a gateway: one process at a time, for 30 seconds at a time, under a number that only grows.

Every write of a dispatcher names its epoch and takes the gateway's row in share mode, so that a process that
was stopped for a minute and wakes up changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from messaging.domain.dispatch.database import Connection, Line
from messaging.enums import BindState

_TAKE = """
UPDATE messaging_gateway SET lease_owner = %(owner)s, lease_epoch = lease_epoch + 1,
  lease_until = now() + %(seconds)s * interval '1 second'
WHERE id = (
  SELECT id FROM messaging_gateway
  WHERE is_active AND (lease_until IS NULL OR lease_until < now()) AND id <> ALL(%(held)s::bigint[])
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, lease_epoch, name, host, port, system_id, secret, sender, "window", rate, is_active, kind,
  options, callback_token
"""
_RENEW = """
UPDATE messaging_gateway SET lease_until = now() + %(seconds)s * interval '1 second'
WHERE id = %(gateway)s AND lease_owner = %(owner)s AND lease_epoch = %(epoch)s
RETURNING id, lease_epoch, name, host, port, system_id, secret, sender, "window", rate, is_active, kind,
  options, callback_token
"""
_GIVE_UP = """
UPDATE messaging_gateway SET lease_owner = '', lease_until = NULL, bind_state = 'off', bound_at = NULL
WHERE id = %(gateway)s AND lease_owner = %(owner)s AND lease_epoch = %(epoch)s
"""
_SAY = """
UPDATE messaging_gateway SET bind_state = %(state)s::text, last_error = %(error)s,
  bound_at = CASE WHEN %(state)s::text = 'bound' THEN now() END
WHERE id = %(gateway)s AND lease_owner = %(owner)s AND lease_epoch = %(epoch)s
"""


class LeaseLost(Exception):
    """Another process holds the gateway: stop at once, write nothing."""


class GatewayConfig(NamedTuple):
    """What a person may edit. `secret` is still encrypted."""

    name: str
    host: str
    port: int
    system_id: str
    secret: str
    sender: str
    window: int
    rate: int
    is_active: bool
    kind: str
    options: dict[str, Any]
    callback_token: str


@dataclass(frozen=True)
class Lease:
    """A gateway held by us."""

    gateway: int
    epoch: int
    owner: str
    config: GatewayConfig

    @property
    def key(self) -> dict[str, object]:
        """What each write names."""
        return {"gateway": self.gateway, "epoch": self.epoch, "owner": self.owner}


async def take(line: Line, owner: str, seconds: float, held: Sequence[int] = ()) -> Lease | None:
    """Take one gateway that nobody holds. At most one, so that processes that start together share.

    `held` are the owner's own: one whose lease ran out while the database was away is renewed if nobody took it
    meanwhile. Taken anew, its epoch would end, and with it the answers that wait to be written.
    """

    async def work(connection: Connection) -> Lease | None:
        cursor = await connection.execute(_TAKE, {"owner": owner, "seconds": seconds, "held": list(held)})
        row = await cursor.fetchone()
        return Lease(row[0], row[1], owner, GatewayConfig(*row[2:])) if row else None

    return await line.transaction(work)


async def renew(line: Line, lease: Lease, seconds: float) -> Lease:
    """Hold it for `seconds` more, with its settings as they are now. Raises LeaseLost."""

    async def work(connection: Connection) -> Lease:
        cursor = await connection.execute(_RENEW, lease.key | {"seconds": seconds})
        row = await cursor.fetchone()
        if row is None:
            raise LeaseLost
        return replace(lease, config=GatewayConfig(*row[2:]))

    return await line.transaction(work)


async def give_up(line: Line, lease: Lease) -> None:
    """Let another process have it now."""
    await line.transaction(lambda connection: connection.execute(_GIVE_UP, lease.key))


async def say(line: Line, lease: Lease, state: BindState, error: str = "") -> None:
    """Tell the owner how the connection stands. `error` is an English sentence that the page translates."""
    values = lease.key | {"state": state.value, "error": error[:200]}
    await line.transaction(lambda connection: connection.execute(_SAY, values))
