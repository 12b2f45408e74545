"""The CMPP gateway as the dispatcher sees it: one long connection to a carrier's ISMG."""

from __future__ import annotations

from collections.abc import Callable

from messaging.gateways.base import Deliver, SubmitResult
from messaging.gateways.cmpp.session import CmppSession
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.session_link import SessionLink

__all__ = ["CmppLink", "CmppSettings"]


class CmppLink(SessionLink):
    """`GatewayLink` over CMPP.

    `refuse` stays silent: the gateway sends again what has no answer after its T.
    """

    def __init__(
        self,
        settings: CmppSettings,
        on_results: Callable[[list[SubmitResult]], None],
        on_delivers: Callable[[list[Deliver]], None],
        on_closed: Callable[[str], None],
    ) -> None:
        """The callbacks run on the event loop and must only take note; see `GatewayLink`."""
        super().__init__(settings, on_results, on_delivers, on_closed)
        self.settings = settings

    def _new_sessions(self, first_number: int) -> list[CmppSession]:
        return [
            CmppSession(self.settings, self._take_results, self._take_delivers, self._ended, first_number)
        ]
