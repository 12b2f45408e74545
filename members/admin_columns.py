"""Columns and read-only lines of the admin that need a word or a form of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime

from members.event_types import CUSTOM_PREFIX, EVENT_TYPES

Column = Callable[[Any, Any], Any]


def column(field: str, label: Any) -> Column:
    """A method of an admin: the value of `field` under a label the model does not give."""

    @admin.display(description=label, ordering=field)
    def shown(self: Any, row: Any) -> Any:
        value = getattr(row, field)
        return localize(localtime(value)) if isinstance(value, datetime) else value

    return shown


def linked(field: str, label: Any) -> Column:
    """The row that `field` points to, as a link to its own page."""

    @admin.display(description=label, ordering=field)
    def shown(self: Any, row: Any) -> SafeString | None:
        found: Model | None = getattr(row, field)
        if found is None:
            return None
        name = f"admin:{found._meta.app_label}_{found._meta.model_name}_change"
        return format_html('<a class="underline" href="{}">{}</a>', reverse(name, args=(found.pk,)), found)

    return shown


def json_column(field: str, label: Any) -> Column:
    """What is kept as JSON in `field`, wrapped to the page."""

    @admin.display(description=label)
    def shown(self: Any, row: Any) -> SafeString:
        text = json.dumps(getattr(row, field), ensure_ascii=False, indent=2)
        return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)

    return shown


def labelled(field: str, label: Any, tones: Mapping[str, str]) -> Column:
    """The choice in `field` as a badge, one tone a choice; a choice without one has the plain tone."""

    @admin.display(description=label, ordering=field)
    def shown(self: Any, row: Any) -> SafeString:
        return badge(choice_name(row, field), tones.get(getattr(row, field), ""))

    return shown


def badge(text: Any, tone: str = "") -> SafeString:
    """A coloured label, the same in lists and on pages; the tone is success, info, warning, danger or none."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": tone})


def choice_column(field: str, label: Any) -> Column:
    """The choice in `field` by its name, under a label the model does not give."""

    @admin.display(description=label, ordering=field)
    def shown(self: Any, row: Any) -> Any:
        return choice_name(row, field)

    return shown


def choice_name(row: Any, field: str) -> Any:
    """What a row's choice is called."""
    return getattr(row, f"get_{field}_display")()


def event_column(field: str, label: Any) -> Column:
    """The event named in `field` by its label; a shop's own by its name."""

    @admin.display(description=label, ordering=field)
    def shown(self: Any, row: Any) -> Any:
        return event_name(getattr(row, field))

    return shown


def event_name(name: str) -> Any:
    """What an event is called by its type; a shop's own by the name it was given."""
    return EVENT_TYPES[name].label if name in EVENT_TYPES else name.removeprefix(CUSTOM_PREFIX)


def shortened(field: str, label: Any, length: int = 60) -> Column:
    """The beginning of a long text, for a list."""

    @admin.display(description=label)
    def shown(self: Any, row: Any) -> str:
        return Truncator(getattr(row, field)).chars(length)

    return shown
