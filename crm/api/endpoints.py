"""What every endpoint shares: strict reading, the rate limit, one effect per Idempotency-Key."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.caller import Caller, caller_of
from crm.api.fields import Strict
from crm.api.idempotency import Answer, answer_once, read_key, was_asked
from crm.api.parsing import StrictJsonParser, malformed
from crm.api.problems import Problem, invalid, not_found, problem_of
from crm.api.throttling import KeyThrottle


class NoQuery(Strict):
    """No query parameters."""


class Endpoint(APIView):
    """A resource. Other methods answer 405, OPTIONS included."""

    http_method_names = ["get", "head", "post"]
    parser_classes = [StrictJsonParser]
    throttle_classes = [KeyThrottle]

    def read_query(self, request: Request, shape: type[Strict]) -> dict[str, Any]:
        """The validated query parameters; 422 for unknown or wrong ones."""
        given = shape(data=request.query_params.dict())
        try:
            given.is_valid(raise_exception=True)
        except serializers.ValidationError as failure:
            raise invalid(failure, prefix="?") from failure
        return given.validated_data

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response["Cache-Control"] = "no-store"
        return super().finalize_response(request, response, *args, **kwargs)


class ReadEndpoint(Endpoint):
    """GET: subclasses say what `show` answers."""

    query: ClassVar[type[Strict]] = NoQuery

    def get(self, request: Request, **path: Any) -> Response:
        query = self.read_query(request, self.query)
        return Response(self.show(caller_of(request, now()), query, **path))

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        raise NotImplementedError


class WriteEndpoint(Endpoint):
    """POST: the body is checked, then `effect` runs once per Idempotency-Key in one transaction."""

    body: ClassVar[type[Strict]]

    def post(self, request: Request, **path: Any) -> HttpResponse:
        self.read_query(request, NoQuery)
        if not request.META.get("CONTENT_LENGTH"):
            raise malformed("body_required", _("Send a JSON object, {} if there is nothing to say."))
        body = self.body(data=request.data)
        key = read_key(request)
        body.is_valid(raise_exception=True)
        caller, given = caller_of(request, now(), key), body.validated_data
        checked = None if was_asked(request, key) else self._before(caller, given, **path)
        return answer_once(request, key, lambda: self._effect(caller, given, checked, **path))

    def before(self, caller: Caller, given: dict[str, Any], **path: Any) -> Any:
        """What is checked outside the effect's transaction and stays whatever becomes of it: a try at a code.

        Not asked again under a key that was used: the first answer stands. What it answers is the effect's `checked`.
        """
        return None

    def _before(self, caller: Caller, given: dict[str, Any], **path: Any) -> Any:
        """A rule's refusal goes to the effect, so that it is kept under the key like any other."""
        try:
            return self.before(caller, given, **path)
        except Exception as failure:
            if problem_of(failure).status != 422:
                raise
            return failure

    def _effect(self, caller: Caller, given: dict[str, Any], checked: Any, **path: Any) -> Answer:
        if isinstance(checked, Exception):
            raise checked
        return self.effect(caller, given, checked, **path)

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        raise NotImplementedError


class Missing(APIView):
    """Every address under /api/ that is none."""

    authentication_classes = []
    permission_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise not_found()


def one_or_404(rows: Any, public_id: Any) -> Any:
    """The row with this public id among those the caller may see; the same 404 for absent and foreign."""
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise not_found()
    return row


def named_or_422(rows: Any, pointer: str, code: str, detail: Any, **lookup: Any) -> Any:
    """A row that the body names; 422 at its pointer when it is absent or foreign, without saying which."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise Problem(422, code, detail, errors=[(pointer, code, detail)])
    return row
