"""What left a card or a member lately: the sums behind the member's code and the days after a change of phone.

Both windows move with the database's clock. Read under the accounts' locks of the deed that asks, so that a bill cut
into parts, one after the other or at once, counts as the one bill it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

CODE_WINDOW = timedelta(hours=1)
COOLING_WINDOW = timedelta(hours=24)


def without_code_minor(*, card_id: int, member_id: int, besides: int | None, enough: int) -> int:
    """Stored value that left the card in the last hour without the member's code; `enough` or more ends the count.

    `besides` is the deed that asks.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lately_without_code(%s, %s, %s, make_interval(secs => %s), %s)",
            [card_id, member_id, besides, CODE_WINDOW.total_seconds(), enough],
        )
        return int(cursor.fetchone()[0])


def taken_minor(
    *, member_id: int, besides: int | None, besides_hold: int | None, begun: datetime, enough: int
) -> int:
    """What left the member in the last 24 hours, but not before `begun`: by bills, gifts, services, payouts and open holds.

    `besides` is the deed that asks, `besides_hold` the hold it captures.
    """
    asked = [member_id, besides, besides_hold, begun, COOLING_WINDOW.total_seconds(), enough]
    with connection.cursor() as cursor:
        cursor.execute("SELECT lately_taken(%s, %s, %s, %s, make_interval(secs => %s), %s)", asked)
        return int(cursor.fetchone()[0])
