"""Keyset paging: an opaque signed cursor that says after which row to go on."""

from __future__ import annotations

from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.api.problems import Problem

PAGE_MAX = 100
PAGE_DEFAULT = 50


def write_cursor(list_name: str, row_id: int) -> str:
    """The cursor that continues `list_name` after this row."""
    return _signer(list_name).sign(f"{row_id:x}")


def read_cursor(list_name: str, cursor: str) -> int:
    """The row a cursor of this list stands at. 422 for any other text."""
    try:
        return int(_signer(list_name).unsign(cursor), 16)
    except (BadSignature, ValueError) as broken:
        detail = _("This cursor is not one that this list gave.")
        raise Problem(
            422, "cursor_invalid", detail, errors=[("?after", "cursor_invalid", detail)]
        ) from broken


def page_of(rows: QuerySet[Any], list_name: str, *, after: str, limit: int) -> tuple[list[Any], str | None]:
    """One page, newest first, and the cursor of the next one; None at the end. One query."""
    if after:
        rows = rows.filter(pk__lt=read_cursor(list_name, after))
    found = list(rows.order_by("-pk")[: limit + 1])
    page = found[:limit]
    return page, write_cursor(list_name, page[-1].pk) if len(found) > limit else None


def _signer(list_name: str) -> Signer:
    return Signer(sep="~", salt=f"crm.api.cursors.{list_name}")
