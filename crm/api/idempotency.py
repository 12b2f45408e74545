"""One intent, one effect: the first answer to a write is kept in the effect's own transaction."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from crm.api.models import ApiKey, IdempotentRequest
from crm.api.problems import MEDIA_TYPE, Problem, key_reused, pointer_to, problem_of

HEADER = "Idempotency-Key"
KEY_PATTERN = "^[!-~]{1,128}$"
Answer = tuple[int, Any]


def read_key(request: Request) -> str:
    """The request's Idempotency-Key: 1 to 128 visible ASCII characters. 400 otherwise."""
    key = request.headers.get(HEADER, "")
    if not key:
        detail = _("A write needs an Idempotency-Key header.")
        raise Problem(400, "idempotency_key_required", detail)
    if not re.fullmatch(KEY_PATTERN, key):
        detail = _("An Idempotency-Key is 1 to 128 visible ASCII characters.")
        raise Problem(400, "idempotency_key_invalid", detail)
    return key


def was_asked(request: Request, key: str) -> bool:
    """Whether this key has an answer already."""
    api_key = request.auth
    assert isinstance(api_key, ApiKey)
    return IdempotentRequest.objects.filter(api_key=api_key, key=key).exists()


def answer_once(request: Request, key: str, effect: Callable[[], Answer]) -> HttpResponse:
    """Do the effect, or repeat the answer it had.

    Locked: the row of (API key, Idempotency-Key), for the transaction. A rule's refusal (422) is kept while
    its savepoint is undone; any other failure undoes everything, so that the key may be used again.
    """
    prints = fingerprint(request)
    with transaction.atomic():
        _limit_waiting()
        row, is_new = _claim(request, key, prints)
        if not is_new:
            return _replayed(row, prints)
        status, answer = _perform(effect, getattr(request, "request_id", ""))
        row.status, row.answer = status, JSONRenderer().render(answer).decode()
        row.save(update_fields=["status", "answer"])
    return _respond(row)


def fingerprint(request: Request) -> dict[str, str]:
    """A keyed hash of each leaf of the request by its pointer: names what differs, and holds no phone."""
    leaves: dict[str, str] = {}
    _add_leaves(leaves, "", request.data)
    return {"method": str(request.method), "path": request.path, **leaves}


def _add_leaves(leaves: dict[str, str], path: str, value: Any) -> None:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            _add_leaves(leaves, pointer_to(path, name), inner)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            _add_leaves(leaves, pointer_to(path, index), inner)
    else:
        leaves[path] = _hash(json.dumps(value))


def _hash(text: str) -> str:
    return hmac.new(settings.REGULARS_PHONE_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def _limit_waiting() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', '2s', true), set_config('statement_timeout', '5s', true)"
        )


def _claim(request: Request, key: str, prints: dict[str, str]) -> tuple[IdempotentRequest, bool]:
    assert isinstance(request.auth, ApiKey)
    try:
        return IdempotentRequest.objects.get_or_create(
            api_key=request.auth, key=key, defaults={"fingerprint": prints}
        )
    except OperationalError as waited:
        if isinstance(waited.__cause__, LockNotAvailable):
            detail = _("The first request with this key is still being worked on.")
            raise Problem(409, "request_in_progress", detail, retry_after=1) from waited
        raise


def _perform(effect: Callable[[], Answer], request_id: str) -> Answer:
    try:
        with transaction.atomic():
            return effect()
    except Exception as failure:
        problem = problem_of(failure)
        if problem.status != 422:
            raise
        return problem.status, problem.as_json(request_id)


def _replayed(row: IdempotentRequest, prints: dict[str, str]) -> HttpResponse:
    earlier = row.fingerprint
    differing = sorted(name for name in {*earlier, *prints} if earlier.get(name) != prints.get(name))
    if differing:
        raise key_reused(differing)
    response = _respond(row)
    response["Idempotent-Replayed"] = "true"
    return response


def _respond(row: IdempotentRequest) -> HttpResponse:
    assert row.status is not None and row.answer is not None
    media_type = MEDIA_TYPE if row.status >= 400 else "application/json"
    return HttpResponse(row.answer.encode(), status=row.status, content_type=media_type)
