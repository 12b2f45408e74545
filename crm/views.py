"""Pages that belong to no front: health, and the answer to a stale form."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page is too old or came from elsewhere: say so, keep nothing half done."""
    return render(request, "403.html", {"is_stale_form": True}, status=403)


@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """200 when the database and the broker answer, 503 otherwise; which of them, and nothing else."""
    checks = {"database": _answers(_ask_database), "broker": _answers(_ask_broker)}
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _answers(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except Exception:
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_broker() -> None:
    cache.get("health")
