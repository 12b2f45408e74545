"""What all long-lived connections have in common, as the dispatcher sees them: one account, one connection
after another, one window of messages. The protocol is its session's affair.
"""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from messaging.gateways.base import (
    REFUSED_TEMPORARILY,
    Deliver,
    LinkDown,
    OutboundSms,
    SubmitResult,
    WindowFull,
)
from messaging.gateways.windowed_session import WindowedSession

_DRAIN_POLL_SECONDS = 0.01


class LinkSettings(Protocol):
    """What the connection itself needs to know of an account."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def window(self) -> int: ...
    @property
    def connect_timeout_seconds(self) -> float: ...


class SessionLink(ABC):
    """`GatewayLink` over one session, or over several that live and die together (a transmitter's and a
    receiver's): the first carries the submits, and when one of them is lost all are closed, since a
    transmitter without its receiver would leave receipts behind unnoticed.

    The window counts messages here and parts on the wire, both at most `settings.window`. Slots that were
    not released survive a reconnect: their results are still on the way to the caller's database.
    """

    def __init__(
        self,
        settings: LinkSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[str], None],
    ) -> None:
        """The callbacks run on the event loop and must only take note; see `GatewayLink`."""
        self._account = settings
        self.on_results, self.on_delivers, self.on_closed = on_results, on_delivers, on_closed
        self._sessions: list[WindowedSession[Any]] = []
        self._connections = 0
        self._held = 0
        self._reason = ""
        self._is_draining = self._is_connecting = False

    @abstractmethod
    def _new_sessions(self, first_number: int) -> Sequence[WindowedSession[Any]]:
        """Sessions that are not connected yet, numbered from there; the first carries the submits."""

    def _tls(self) -> ssl.SSLContext | None:
        return None

    @property
    def is_up(self) -> bool:
        """Bound, and not draining."""
        return bool(self._sessions) and all(s.is_bound for s in self._sessions) and not self._is_draining

    @property
    def free(self) -> int:
        """How many messages `submit_batch` takes now."""
        return max(0, self._account.window - self._held) if self.is_up else 0

    async def connect(self) -> None:
        """Connect and bind within the settings' time limits. Raises `LinkDown` or `BindRefused`.

        `on_closed` is called only for a connection that was bound. Refuses while one is still open.
        """
        if self._sessions:
            raise LinkDown("still connected")
        self._sessions = list(self._new_sessions(self._connections + 1))
        self._connections += len(self._sessions)
        self._is_connecting, self._is_draining, self._reason = True, False, ""
        try:
            for session in list(self._sessions):
                await self._open_socket(session)
                await session.bind()
            if not self._sessions or self._reason:
                raise LinkDown(self._reason or "connection lost")
        except BaseException:
            failed, self._sessions = self._sessions, []
            for session in failed:
                session.abort("connect failed")
            raise
        finally:
            self._is_connecting = False

    def submit_batch(self, messages: Sequence[OutboundSms]) -> None:
        """Hand over messages. Raises `LinkDown` or `WindowFull`, then nothing was taken."""
        if not self.is_up:
            raise LinkDown("not bound")
        if len(messages) > self.free:
            raise WindowFull(f"{len(messages)} messages for {self.free} free slots")
        self._held += len(messages)
        self._sessions[0].submit(messages)

    def release(self, count: int) -> None:
        """The results of `count` messages are committed; late results hold no slot."""
        if count > self._held:
            raise ValueError(f"{count} slots released, {self._held} were taken")
        self._held -= count

    def acknowledge(self, *delivers: Deliver) -> None:
        """Tell the other side these are stored."""
        self._answer_delivers(delivers, 0)

    def refuse(self, *delivers: Deliver, status: int = REFUSED_TEMPORARILY) -> None:
        """Tell the other side to send these again."""
        self._answer_delivers(delivers, status)

    async def drain(self, timeout_seconds: float) -> bool:
        """Take no more messages and wait for the open answers. False: some were still open at the end."""
        self._is_draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while any(session.open_count for session in self._sessions):
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_DRAIN_POLL_SECONDS)
        return True

    async def close(self) -> None:
        """Log out and disconnect; results of what was open come before this returns."""
        for session in list(self._sessions):
            await session.unbind()

    async def _open_socket(self, session: WindowedSession[Any]) -> None:
        account, loop = self._account, asyncio.get_running_loop()
        try:
            await asyncio.wait_for(
                loop.create_connection(lambda: session, account.host, account.port, ssl=self._tls()),
                account.connect_timeout_seconds,
            )
        except (OSError, TimeoutError) as error:
            raise LinkDown(f"cannot connect: {type(error).__name__}") from error

    def _take_results(self, results: list[SubmitResult]) -> None:
        self.on_results(results)

    def _take_delivers(self, delivers: list[Deliver]) -> None:
        self.on_delivers(delivers)

    def _ended(self, session: WindowedSession[Any], reason: str) -> None:
        """One is gone: the others follow; the owner hears of it once, after the last."""
        if session not in self._sessions:
            return
        self._reason = self._reason or reason
        if self._is_connecting:
            return
        self._sessions.remove(session)
        for other in self._sessions:
            other.abort(reason)
        if not self._sessions:
            self.on_closed(self._reason)

    def _answer_delivers(self, delivers: Sequence[Deliver], status: int) -> None:
        for session in self._sessions:
            ours = session.number
            session.answer_delivers([d.token[1] for d in delivers if d.token[0] == ours], status)
