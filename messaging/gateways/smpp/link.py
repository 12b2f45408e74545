"""The SMPP gateway as the dispatcher sees it.

One account, one connection after another, one window of messages.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence

from messaging.gateways.base import (
    REFUSED_TEMPORARILY,
    BindRefused,
    Deliver,
    LinkDown,
    OutboundSms,
    SubmitResult,
    WindowFull,
)
from messaging.gateways.smpp.session import SmppSession
from messaging.gateways.smpp.settings import SmppSettings

__all__ = ["BindRefused", "LinkDown", "SmppLink", "SmppSettings", "WindowFull"]

_DRAIN_POLL_SECONDS = 0.01


class SmppLink:
    """`GatewayLink` over SMPP.

    The window counts messages here and parts on the wire, both at most `settings.window`.

    Slots that were not released survive a reconnect: their results are still on the way to the caller's
    database.
    """

    def __init__(
        self,
        settings: SmppSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[str], None],
    ) -> None:
        """The callbacks run on the event loop and must only take note; see `GatewayLink`."""
        self.settings = settings
        self.on_results, self.on_delivers, self.on_closed = on_results, on_delivers, on_closed
        self._session: SmppSession | None = None
        self._connections = 0
        self._held = 0
        self._is_draining = self._is_connecting = False

    @property
    def is_up(self) -> bool:
        """Bound, and not draining."""
        return self._session is not None and self._session.is_bound and not self._is_draining

    @property
    def free(self) -> int:
        """How many messages `submit_batch` takes now."""
        return max(0, self.settings.window - self._held) if self.is_up else 0

    async def connect(self) -> None:
        """Connect and bind within the settings' time limits. Raises `LinkDown` or `BindRefused`.

        `on_closed` is called only for a connection that was bound. Refuses while one is still open.
        """
        if self._session is not None:
            raise LinkDown("still connected")
        self._connections += 1
        session = SmppSession(
            self.settings, self._take_results, self._take_delivers, self._ended, self._connections
        )
        self._session, self._is_connecting, self._is_draining = session, True, False
        try:
            await self._open_socket(session)
            await session.bind()
        except BaseException:
            self._session = None
            session.abort("connect failed")
            raise
        finally:
            self._is_connecting = False

    def submit_batch(self, messages: Sequence[OutboundSms]) -> None:
        """Hand over messages. Raises `LinkDown` or `WindowFull`, then nothing was taken."""
        if self._session is None or not self.is_up:
            raise LinkDown("not bound")
        if len(messages) > self.free:
            raise WindowFull(f"{len(messages)} messages for {self.free} free slots")
        self._held += len(messages)
        self._session.submit(messages)

    def release(self, count: int) -> None:
        """The results of `count` messages are committed; late results hold no slot."""
        if count > self._held:
            raise ValueError(f"{count} slots released, {self._held} were taken")
        self._held -= count

    def acknowledge(self, *delivers: Deliver) -> None:
        """Tell the SMSC these are stored."""
        self._answer_delivers(delivers, 0)

    def refuse(self, *delivers: Deliver, status: int = REFUSED_TEMPORARILY) -> None:
        """Tell the SMSC to send these again: 0x64 or 0x08."""
        self._answer_delivers(delivers, status)

    async def drain(self, timeout_seconds: float) -> bool:
        """Take no more messages and wait for the open answers. False: some were still open at the end."""
        self._is_draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while self._session is not None and self._session.open_count:
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_DRAIN_POLL_SECONDS)
        return True

    async def close(self) -> None:
        """Unbind and disconnect; results of what was open come before this returns."""
        if self._session is not None:
            await self._session.unbind()

    async def _open_socket(self, session: SmppSession) -> None:
        account, loop = self.settings, asyncio.get_running_loop()
        context = ssl.create_default_context() if account.tls else None
        try:
            await asyncio.wait_for(
                loop.create_connection(lambda: session, account.host, account.port, ssl=context),
                account.connect_timeout_seconds,
            )
        except (OSError, TimeoutError) as error:
            raise LinkDown(f"cannot connect: {type(error).__name__}") from error

    def _take_results(self, results: list[SubmitResult]) -> None:
        self.on_results(results)

    def _take_delivers(self, delivers: list[Deliver]) -> None:
        self.on_delivers(delivers)

    def _ended(self, session: SmppSession, reason: str) -> None:
        if self._session is session and not self._is_connecting:
            self._session = None
            self.on_closed(reason)

    def _answer_delivers(self, delivers: Sequence[Deliver], status: int) -> None:
        session = self._session
        if session is not None:
            ours = session.number
            session.answer_delivers([d.token[1] for d in delivers if d.token[0] == ours], status)
