"""The base of everything a domain verb may refuse, in the user's words."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise


class Refused(Exception):
    """A deed that a rule forbids; nothing was done.

    `code` is stable for programs, `message` is for people, `field` names the input it stands beside.
    """

    code = "refused"
    field = ""

    def __init__(self, message: str | Promise, *, field: str = "", **facts: Any) -> None:
        super().__init__(str(message))
        self.message = message
        self.field = field or self.field
        self.facts = facts
