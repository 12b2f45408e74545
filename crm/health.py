"""What has to work: asked in one go, answered yes or no."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import connection

from messaging.domain import dead_letters, restoring
from messaging.domain.alerts import BEAT_SILENT_SECONDS, SKEW_SECONDS
from messaging.enums import PRIORITY, BindState, MessageClass
from messaging.models import Gateway, Message
from messaging.states import State

CODE_WAITS_MAX = timedelta(seconds=10)
UNCERTAIN_MAX = 100


def ready() -> dict[str, bool]:
    """Whether this process can serve: the database and the broker answer."""
    return {
        "database": _answers(_ask_database),
        "broker": _answers(lambda: bool(cache.get("health")) or True),
    }


def everything(*, at: datetime) -> dict[str, bool]:
    """Whether the house works: also gateways, codes, doubts, the schedule and the clocks. A check that fails is a no."""
    checks: dict[str, Callable[[], bool]] = {
        "gateways": _are_bound,
        "codes": lambda: _do_codes_leave(at),
        "uncertain": lambda: (
            dead_letters.in_doubt(at).order_by()[: UNCERTAIN_MAX + 1].count() <= UNCERTAIN_MAX
        ),
        "beat": lambda: (restoring.beat_age(at) or BEAT_SILENT_SECONDS + 1) <= BEAT_SILENT_SECONDS,
        "clock": lambda: abs(restoring.clock_skew(at)) <= SKEW_SECONDS,
        "restored": lambda: not restoring.is_stopped(),
    }
    return ready() | {name: _answers(ask) for name, ask in checks.items()}


def _answers(ask: Callable[[], bool]) -> bool:
    try:
        return bool(ask())
    except Exception:
        return False


def _ask_database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _are_bound() -> bool:
    return not Gateway.objects.filter(is_active=True).exclude(bind_state=BindState.BOUND).exists()


def _do_codes_leave(at: datetime) -> bool:
    waiting = Message.objects.filter(state=State.QUEUED, priority=PRIORITY[MessageClass.VERIFICATION])
    return not waiting.filter(due_at__lt=at - CODE_WAITS_MAX).exists()
