"""Pages that belong to no front: health, metrics, and the answer to a stale form."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache

from crm import health as checks
from crm import metrics as measured
from crm.client_address import address_of

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page is too old or came from elsewhere: say so, keep nothing half done."""
    return render(request, "403.html", {"is_stale_form": True}, status=403)


@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """200 when the database and the broker answer, 503 otherwise; which of them, and nothing else."""
    return _answer(checks.ready())


@never_cache
def health_all(request: HttpRequest) -> JsonResponse:
    """The same for the whole house: gateways, codes, doubts, the schedule, the clocks. For who may read the metrics."""
    _let_in(request)
    return _answer(checks.everything(at=timezone.now()))


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """What a monitoring system reads. For the token or the addresses of the settings; for everybody else 404."""
    _let_in(request)
    return HttpResponse(measured.as_text(measured.gauges(at=timezone.now())), content_type=PROMETHEUS)


def _answer(found: dict[str, bool]) -> JsonResponse:
    return JsonResponse(found, status=200 if all(found.values()) else 503)


def _let_in(request: HttpRequest) -> None:
    token = settings.REGULARS_METRICS_TOKEN
    said = request.headers.get("Authorization", "")
    has_token = bool(token) and constant_time_compare(said, f"Bearer {token}")
    if not has_token and address_of(request) not in settings.REGULARS_METRICS_FROM:
        raise Http404
