"""One gateway of one's own as data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`url` is the base address: texts are posted to `<url>/messages`. One key signs both ways."""

    url: str
    key_id: str
    secret: str = field(repr=False)
