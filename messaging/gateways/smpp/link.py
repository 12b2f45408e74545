"""The SMPP gateway as the dispatcher sees it: a transceiver, or a transmitter and a receiver as a pair."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from messaging.gateways.base import BindRefused, Deliver, LinkDown, SubmitResult, WindowFull
from messaging.gateways.session_link import SessionLink
from messaging.gateways.smpp.session import SmppSession
from messaging.gateways.smpp.settings import BindKind, SmppSettings

__all__ = ["BindRefused", "LinkDown", "SmppLink", "SmppSettings", "WindowFull"]

_SESSIONS: dict[str, tuple[BindKind, ...]] = {"pair": ("transmitter", "receiver")}


class SmppLink(SessionLink):
    """`GatewayLink` over SMPP."""

    def __init__(
        self,
        settings: SmppSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[str], None],
    ) -> None:
        """The callbacks run on the event loop and must only take note; see `GatewayLink`."""
        super().__init__(settings, on_results, on_delivers, on_closed)
        self.settings = settings

    def _new_sessions(self, first_number: int) -> list[SmppSession]:
        binds = _SESSIONS.get(self.settings.bind, (self.settings.bind,))
        return [
            SmppSession(
                self.settings, self._take_results, self._take_delivers, self._ended, number, as_bind=bind
            )
            for number, bind in enumerate(binds, first_number)
        ]

    def _tls(self) -> ssl.SSLContext | None:
        """The certificate is always checked, against the system's authorities or the account's own file."""
        account = self.settings
        return ssl.create_default_context(cafile=account.tls_ca_file or None) if account.tls else None
