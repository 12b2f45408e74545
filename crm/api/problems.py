"""Every refusal of the API as RFC 9457 `application/problem+json`, with a code that never changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg import errors as postgres
from rest_framework import exceptions
from rest_framework.response import Response

from members.domain.ledger import IdempotencyConflict
from members.refusals import Refused

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
WAITED_TOO_LONG = (postgres.LockNotAvailable, postgres.QueryCanceled, postgres.DeadlockDetected)
_POINTER_MAX = 120
_ERRORS_MAX = 100
_CODES = {
    exceptions.ParseError: "malformed",
    exceptions.NotAuthenticated: "key_required",
    exceptions.AuthenticationFailed: "key_invalid",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "too_many_requests",
}
# Refusals that pass with time, and after how many seconds when they do not say it themselves.
_TOO_OFTEN = {"too_many_codes": 60, "too_many_checks": 3600, "coupon_too_many_tries": 3600}
# Where a domain refusal's field stands in the request body.
_POINTERS = {"amount": "/amount_minor", "coupon": "/coupons"}


class Problem(Exception):
    """A refusal to be answered: status, stable code, words for people, and what is wrong where.

    `errors` are (pointer, code, detail); a pointer is an RFC 6901 pointer into the body, or `?name` for a
    query parameter. `facts` become members of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str | Promise,
        *,
        errors: Iterable[tuple[str, str, str | Promise]] = (),
        retry_after: int = 0,
        **facts: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = {"Retry-After": str(retry_after)} if retry_after else {}
        self.facts = facts

    def as_json(self, request_id: str) -> dict[str, Any]:
        return {
            "type": f"urn:regulars:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self.detail),
            "code": self.code,
            "request_id": request_id,
            "errors": [
                {"pointer": pointer, "code": code, "detail": str(detail)}
                for pointer, code, detail in self.errors[:_ERRORS_MAX]
            ],
            **self.facts,
        }


def not_found() -> Problem:
    """The one answer for what does not exist and for what this key may not see."""
    return Problem(404, "not_found", _("There is nothing here that this key may see."))


def handle(failure: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler. Never raises; what nobody expected is logged and answered as a plain 500."""
    problem = problem_of(failure)
    if problem.status >= 500:
        log.error("api_failed", code=problem.code, error=type(failure).__name__, exc_info=failure)
    request_id = getattr(context["request"], "request_id", "")
    headers = problem.headers | _headers_of(failure)
    return Response(problem.as_json(request_id), problem.status, headers=headers, content_type=MEDIA_TYPE)


def problem_of(failure: Exception) -> Problem:
    """The problem that answers this exception."""
    if isinstance(failure, Problem):
        return failure
    if isinstance(failure, IdempotencyConflict):
        return key_reused([f"/{name}" for name in failure.fields])
    if isinstance(failure, Refused):
        return of_refusal(failure)
    if isinstance(failure, exceptions.ValidationError):
        return invalid(failure)
    if isinstance(failure, exceptions.APIException):
        return _of_framework(failure)
    if isinstance(failure, Http404):
        return not_found()
    if isinstance(failure, PermissionDenied):
        return Problem(403, "forbidden", _("This key may not do that."))
    return _of_database(failure) or Problem(500, "internal_error", _("Something broke on our side."))


def of_refusal(refused: Refused) -> Problem:
    """A domain rule's refusal: 422, its code, its field, and its numbers."""
    errors = []
    if refused.field:
        pointer = _POINTERS.get(refused.field, f"/{refused.field}")
        errors = [(pointer, refused.code, refused.message)]
    facts = {name: value for name, value in refused.facts.items() if isinstance(value, int)}
    if refused.code in _TOO_OFTEN:
        wait = int(facts.pop("wait_seconds", 0)) or _TOO_OFTEN[refused.code]
        return Problem(429, refused.code, refused.message, errors=errors, retry_after=wait, **facts)
    return Problem(422, refused.code, refused.message, errors=errors, **facts)


def key_reused(pointers: Iterable[str]) -> Problem:
    detail = _("This Idempotency-Key was used for a different request.")
    errors = [(pointer, "differs", _("This differs from the first request.")) for pointer in pointers]
    return Problem(422, "idempotency_key_reuse", detail, errors=errors)


def invalid(failure: exceptions.ValidationError, *, prefix: str = "/") -> Problem:
    """Fields that are not as documented: each named once with its pointer."""
    detail = _("Some fields are not as documented.")
    return Problem(422, "validation_failed", detail, errors=_flatten(failure.detail, "", prefix))


def pointer_to(path: str, name: object) -> str:
    """The RFC 6901 pointer of a member below `path`."""
    return f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}"[:_POINTER_MAX]


def _flatten(detail: Any, path: str, prefix: str) -> list[tuple[str, str, str]]:
    if isinstance(detail, Mapping):
        return [
            error
            for name, inner in detail.items()
            for error in _flatten(
                inner, path if name == "non_field_errors" else pointer_to(path, name), prefix
            )
        ]
    if isinstance(detail, list):
        found = []
        for index, inner in enumerate(detail):
            is_row = isinstance(inner, Mapping)
            found += _flatten(inner, pointer_to(path, index) if is_row else path, prefix)
        return found
    return [(prefix + path[1:] if path else path, detail.code, str(detail))]


def _of_framework(failure: exceptions.APIException) -> Problem:
    code = next((code for kind, code in _CODES.items() if isinstance(failure, kind)), "refused")
    if code == "not_found":
        return not_found()
    retry_after = 0
    if isinstance(failure, exceptions.Throttled):
        retry_after = max(int(getattr(failure, "wait", None) or 1), 1)
    return Problem(failure.status_code, code, str(failure.detail), retry_after=retry_after)


def _of_database(failure: Exception) -> Problem | None:
    if isinstance(failure.__cause__, WAITED_TOO_LONG):
        return Problem(
            503, "busy", _("Too much is happening at once. Nothing was done; try again."), retry_after=1
        )
    if isinstance(failure, (OperationalError, InterfaceError)) or _is_lost(failure):
        detail = _("The database does not answer. Send the same request again: it happens once.")
        return Problem(503, "database_unavailable", detail, retry_after=2)
    return None


def _is_lost(failure: Exception) -> bool:
    return isinstance(failure, DatabaseError) and isinstance(failure.__cause__, postgres.OperationalError)


def _headers_of(failure: Exception) -> dict[str, str]:
    header = getattr(failure, "auth_header", "")
    return {"WWW-Authenticate": header} if header else {}
