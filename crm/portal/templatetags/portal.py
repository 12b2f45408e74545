"""Filters of the portal: `{% load portal %}`."""

from datetime import date

from babel.dates import format_date, format_skeleton
from django import template

from crm.shell.formats import number_text, reader_locale

register = template.Library()


@register.filter
def signed(value: int) -> str:
    """A count with its sign, with a true minus: +120, −300."""
    sign = "−" if value < 0 else "+"
    return f"{sign}{number_text(abs(value))}"


@register.filter
def month_name(day: date) -> str:
    """A month as a heading: November 2026, 2026年11月."""
    return format_skeleton("yMMMM", day, locale=reader_locale())


@register.filter
def day(value: date) -> str:
    """A day of the calendar, in no time zone: 3 May 1990, 1990年5月3日."""
    return format_date(value, "long", locale=reader_locale())
