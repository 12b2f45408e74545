"""The handsets: threads of texts, newest handset first. Only the last ones are kept; the rest is counted
elsewhere.
"""

import itertools
import time
from collections import OrderedDict, deque
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import phonenumbers

HANDSETS_MAX = 200
THREAD_MAX = 100
DELIVERED, WAITING, LOST, SENDING, SENT = "delivered", "waiting", "lost", "sending", "sent"
Fate = Literal["wait", "undelivered", "expired"]


@dataclass
class Text:
    """One text in a thread. `direction` "in": to the phone; "out": a reply. Times in seconds UTC."""

    number: int
    direction: Literal["in", "out"]
    peer: str
    text: str
    state: str
    alphabet: str = ""
    parts: int = 1
    parts_here: int = 1
    system_id: str = ""
    way: str = ""
    ids: list[str] = field(default_factory=list)
    at: float = field(default_factory=time.time)


@dataclass
class Handset:
    """A phone: digits only, with country code."""

    phone: str
    texts: deque[Text] = field(default_factory=lambda: deque(maxlen=THREAD_MAX))
    changed_at: float = 0.0
    is_on: bool = True
    fate: Fate = "wait"

    def last_heard(self) -> Text | None:
        """The newest text it got: replies go to its sender."""
        return next((text for text in reversed(self.texts) if text.direction == "in"), None)

    def as_json(self) -> dict[str, Any]:
        """For the page and the tests."""
        return {
            "phone": self.phone,
            "label": label(self.phone),
            "on": self.is_on,
            "fate": self.fate,
            "changed_at": self.changed_at,
            "messages": [asdict(text) for text in self.texts],
        }


class Tray:
    """All handsets we remember, and which of them changed since the page was last told."""

    def __init__(self) -> None:
        self.handsets: OrderedDict[str, Handset] = OrderedDict()
        self.changed: set[str] = set()
        self._numbers = itertools.count(1)

    def handset(self, phone: str) -> Handset:
        """The handset with this number; a new one is put into the tray, and the oldest switched-on one leaves
        it.
        """
        digits = digits_of(phone)
        if digits not in self.handsets:
            self.handsets[digits] = Handset(digits)
            self._make_room()
        return self.handsets[digits]

    def add(self, phone: str, **fields: Any) -> Text:
        """Put a text into a thread and the handset on top."""
        handset = self.handset(phone)
        text = Text(next(self._numbers), **fields)
        handset.texts.append(text)
        self.touch(handset)
        return text

    def touch(self, handset: Handset) -> None:
        """Newest first, and tell the page."""
        handset.changed_at = time.time()
        if handset.phone in self.handsets:
            self.handsets.move_to_end(handset.phone)
        self.changed.add(handset.phone)

    def newest(self, count: int = HANDSETS_MAX) -> list[Handset]:
        """The handsets as they lie in the tray."""
        return list(reversed(self.handsets.values()))[:count]

    def take_changes(self, count: int) -> list[Handset]:
        """Handsets changed since the last call, newest first; more than `count` at once are not worth
        showing.
        """
        changed, self.changed = self.changed, set()
        found = [self.handsets[phone] for phone in changed if phone in self.handsets]
        return sorted(found, key=lambda handset: -handset.changed_at)[:count]

    def clear(self) -> None:
        """Forget every handset."""
        self.handsets.clear()
        self.changed.clear()

    def _make_room(self) -> None:
        if len(self.handsets) > HANDSETS_MAX:
            oldest = next((phone for phone, handset in self.handsets.items() if handset.is_on), None)
            if oldest is not None:
                del self.handsets[oldest]


def digits_of(phone: str) -> str:
    """A number as the tray knows it: digits only."""
    return "".join(character for character in phone if character.isascii() and character.isdigit())


def label(phone: str) -> str:
    """A number as people write it."""
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(f"+{phone}"), phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )
    except phonenumbers.NumberParseException:
        return phone
