"""Where a text stands."""

from __future__ import annotations

from typing import Any

from crm.api.caller import Caller
from crm.api.endpoints import ReadEndpoint, one_or_404
from crm.api.openapi import documented_read
from crm.api.shapes import MessageShape


@documented_read("show_message", "Show a message", answer=MessageShape, tag="Messages", is_one=True)
class MessageView(ReadEndpoint):
    """State, reason, class and parts; the phone masked. The text itself is not shown."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        return MessageShape(one_or_404(caller.messages(), path["public_id"])).data
