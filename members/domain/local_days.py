"""Days as a store counts them: its midnight, its calendar."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta

from members.models import Store


def day_of(store: Store, at: datetime) -> date:
    """The day it is in a store at a moment."""
    return at.astimezone(store.zone).date()


def midnight_after(store: Store, day: date) -> datetime:
    """The moment a store's day is over."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=store.zone)


def months_later(day: date, months: int) -> date:
    """The same day so many months on; the last of the month where there is no such day."""
    index = day.year * 12 + day.month - 1 + months
    return on_day(index // 12, index % 12 + 1, day.day)


def on_day(year: int, month: int, day: int) -> date:
    """That day of that year; the last of the month where there is no such day."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def is_birthday(birthday: date | None, day: date) -> bool:
    """Whether somebody has their birthday. Who was born on 29 February has it on the 28th in other years."""
    return birthday is not None and on_day(day.year, birthday.month, birthday.day) == day
