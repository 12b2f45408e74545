"""Keeping one gateway connected: log in, tell the owner how it stands, come back after a loss without
hammering.
"""

from __future__ import annotations

import asyncio
import random

import structlog
from django.utils.translation import gettext_noop

from messaging.domain.dispatch import lease as leases
from messaging.domain.dispatch.database import DatabaseTrouble, Line
from messaging.domain.dispatch.lease import Lease
from messaging.enums import BindState
from messaging.gateways.base import BindRefused, GatewayError, GatewayLink, LinkDown

log = structlog.get_logger(__name__)

BACK_OFF_SECONDS_MAX = 60.0
REFUSED_SECONDS = 600.0

# Stored in English, translated where it is shown.
WRONG_CREDENTIALS = gettext_noop(
    "The gateway refused the user name or the password. Check them with your carrier."
)
REFUSED = gettext_noop("The gateway is there but does not let us in just now. We keep trying.")
NOT_REACHED = gettext_noop("The gateway cannot be reached. Check address and port; we keep trying.")
LOST = gettext_noop("The connection was lost. We keep trying.")
UNUSABLE = gettext_noop("These settings cannot be used. Check user name, password and address.")
SECRET_LOST = gettext_noop("The password cannot be read any more. Type it again.")
ACCOUNT_STOPPED = gettext_noop(
    "The provider has stopped this account. Check its balance and its permissions with the provider."
)
NOBODY = gettext_noop("No gateway process is running.")


class Connector:
    """Owns the link's connection."""

    def __init__(self, link: GatewayLink, line: Line, lease: Lease) -> None:
        self._link, self._line, self._lease = link, line, lease
        self._closed = asyncio.Event()
        self._failures = 0

    def closed(self, reason: str) -> None:
        """The link's callback."""
        log.info("gateway_closed", gateway=self._lease.config.name, reason=reason)
        self._closed.set()

    async def run(self) -> None:
        """Connect, wait for the loss, connect again; until cancelled."""
        while True:
            self._closed.clear()
            pause = await self._connect()
            if pause is None:
                await self._closed.wait()
                pause = self._back_off()
                await self._say(BindState.WAITING, LOST)
            await asyncio.sleep(pause)

    async def _connect(self) -> float | None:
        """None when connected, else how long to wait before the next try."""
        await self._say(BindState.CONNECTING)
        try:
            await self._link.connect()
        except BindRefused as refusal:
            return await self._refused(refusal)
        except LinkDown as problem:
            log.info("gateway_not_reached", gateway=self._lease.config.name, error=str(problem))
            await self._say(BindState.WAITING, NOT_REACHED)
            return self._back_off()
        except (GatewayError, ValueError) as problem:
            log.error("gateway_unusable", gateway=self._lease.config.name, error=type(problem).__name__)
            await self._say(BindState.REFUSED, UNUSABLE)
            return REFUSED_SECONDS
        self._failures = 0
        log.info("gateway_bound", gateway=self._lease.config.name)
        await self._say(BindState.BOUND)
        return None

    async def _refused(self, refusal: BindRefused) -> float:
        log.warning(
            "gateway_refused",
            gateway=self._lease.config.name,
            status=f"0x{refusal.status:02X}",
            word=refusal.word,
        )
        if refusal.is_final:
            await self._say(BindState.REFUSED, ACCOUNT_STOPPED if refusal.is_account else WRONG_CREDENTIALS)
            return REFUSED_SECONDS
        await self._say(BindState.WAITING, REFUSED)
        return self._back_off()

    def _back_off(self) -> float:
        self._failures += 1
        return min(BACK_OFF_SECONDS_MAX, 0.25 * 2 ** min(self._failures, 10)) * random.uniform(0.7, 1.0)

    async def _say(self, state: BindState, error: str = "") -> None:
        try:
            await leases.say(self._line, self._lease, state, error)
        except DatabaseTrouble as trouble:
            log.warning("database_trouble", gateway=self._lease.config.name, error=str(trouble))
