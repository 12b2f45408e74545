"""Finding a member at the till: by phone, its last four digits, card or member number, or name.

Each question is one the indexes can answer, and stops at a few rows; the order is made here, not there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import CharField, Lookup, Q, QuerySet
from django.utils.timezone import now

from members.models import Member
from members.phones import InvalidPhone, normalize, same_number_digits

FOUND_MAX = 8
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@CharField.register_lookup
class ILike(Lookup):
    """`column ILIKE pattern`, which a trigram index answers (Django's icontains compares UPPER() of both)."""

    lookup_name = "ilike"

    def as_sql(self, compiler, connection):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} ILIKE {right}", [*left_params, *right_params]


def contains(text: str) -> str:
    """An ILIKE pattern for `text` anywhere, its own signs taken literally."""
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{literal}%"


def clean_query(raw: str) -> str:
    """What was typed, in one width and without the spaces around it; at most 60 characters."""
    return " ".join(unicodedata.normalize("NFKC", raw).replace("\x00", "").split())[:60]


def matching(query: str) -> Q:
    """The condition a search text stands for; nothing for an empty one."""
    if not query:
        return Q(pk__in=[])
    digits = same_number_digits(query)
    if not digits:
        return Q(name__ilike=contains(query)) | Q(member_no=query.upper())
    by_number = Q(cards__number=digits) | Q(member_no__in=[digits, f"R{digits}"])
    if len(digits) >= 4:
        by_number |= Q(phone__endswith=digits)
    if len(digits) >= 8:
        by_number |= Q(cards__number__startswith=digits)
    return by_number


def find(members: QuerySet[Member], query: str) -> list[Member]:
    """At most eight of these members, the likeliest first: exact number, then the most recent visit."""
    kinds = _questions(query)
    found: dict[int, Member] = {}
    for condition in kinds:
        if len(found) < FOUND_MAX:
            rows = members.filter(condition).select_related("facts", "home_store").order_by()[:FOUND_MAX]
            found |= {member.pk: member for member in rows if member.pk not in found}
    return _ordered(_current(members, found), query)[:FOUND_MAX]


def _current(members: QuerySet[Member], found: dict[int, Member]) -> Iterable[Member]:
    """Those who are members. What is known of a merged one (number, card) leads to the one who was kept."""
    kept = {member.merged_into_id for member in found.values() if member.merged_into_id} - found.keys()
    if kept:
        rows = members.filter(pk__in=kept).select_related("facts", "home_store")
        found = found | {member.pk: member for member in rows}
    return [member for member in found.values() if member.is_current]


def _questions(query: str) -> Iterable[Q]:
    """One condition per index, exact ones first."""
    digits = same_number_digits(query)
    if not digits:
        return [Q(member_no=query.upper()), Q(name__ilike=contains(query))] if query else []
    exact = Q(phone=full_phone(query)) | Q(member_no__in=[digits, f"R{digits}"])
    questions = [exact, Q(cards__number=digits)]
    if len(digits) >= 4:
        questions.append(Q(phone__endswith=digits))
    if len(digits) >= 8:
        questions.append(Q(cards__number__startswith=digits))
    return questions


def full_phone(query: str) -> str:
    """The E.164 number that was typed, or nothing when it is none."""
    try:
        return normalize(query, settings.REGULARS_REGION)
    except InvalidPhone:
        return ""


def _ordered(members: Iterable[Member], query: str) -> list[Member]:
    wanted = full_phone(query)
    today = now()

    def rank(member: Member) -> tuple[bool, bool, float]:
        last = member.facts.last_visit_at if hasattr(member, "facts") else None
        starts = not member.name.casefold().startswith(query.casefold())
        return member.phone != wanted, starts, (today - (last or _LONG_AGO)).total_seconds()

    return sorted(members, key=rank)
