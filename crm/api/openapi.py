"""How the API documents itself: the key, the Idempotency-Key, and every refusal as a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.views import APIView

from crm.api.fields import Strict
from crm.api.idempotency import HEADER, KEY_PATTERN
from crm.api.problems import MEDIA_TYPE

_WHY = {
    400: "The request cannot be read, or its Idempotency-Key is missing.",
    401: "There is no valid key.",
    403: "The key may not do that.",
    404: "It does not exist, or not for this key.",
    406: "Only JSON is spoken.",
    409: "The first request with this Idempotency-Key is still being worked on.",
    413: "The body is larger than 64 KiB.",
    415: "The body is not application/json.",
    422: "A field is not as documented, or a rule forbids it. Nothing was done.",
    429: "Too many requests with this key in the last minute, or too many codes for this member.",
    503: "Something we depend on does not answer. Send the same request again: it happens once.",
}
_READ = (401, 403, 406, 422, 429, 503)
_WRITE = (400, 401, 403, 404, 406, 409, 413, 415, 422, 429, 503)
_RETRY = (409, 429, 503)


class ProblemErrorShape(serializers.Serializer):
    """One thing that is wrong: `pointer` into the body (RFC 6901), or `?name` for a query parameter."""

    pointer = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemShape(serializers.Serializer):
    """RFC 9457. `code` is stable; `detail` is for people and may change or be translated."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField(allow_blank=True)
    errors = ProblemErrorShape(many=True)  # type: ignore[assignment]


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """The `Authorization: Api-Key …` header."""

    target_class = "crm.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key ` and the key you were given, for example `Api-Key aB3dE6gH.…`.",
        }


def documented_read(
    operation_id: str,
    summary: str,
    *,
    answer: Any,
    tag: str,
    is_one: bool = False,
    query: type[Strict] | None = None,
) -> Callable[[type[APIView]], type[APIView]]:
    """Document a GET: its answer and its refusals."""
    refusals = (*_READ, 404) if is_one else _READ
    documented = extend_schema(
        operation_id=operation_id,
        summary=summary,
        tags=[tag],
        parameters=[*([query] if query else []), *_retry_headers(refusals)],
        responses={200: answer, **_problems(refusals)},
    )
    return extend_schema_view(get=documented)


def documented_write(
    operation_id: str,
    summary: str,
    *,
    body: type[Strict],
    answers: Mapping[int, Any],
    tag: str,
    examples: Mapping[str, Mapping[str, Any]],
) -> Callable[[type[APIView]], type[APIView]]:
    """Document a POST: its body with examples, its Idempotency-Key, its answers and its refusals."""
    documented = extend_schema(
        operation_id=operation_id,
        summary=summary,
        tags=[tag],
        request=body,
        parameters=[_key_header(), _replayed_header(answers), *_retry_headers(_WRITE)],
        responses={**answers, **_problems(_WRITE)},
        examples=[OpenApiExample(name, value=value, request_only=True) for name, value in examples.items()],
    )
    return extend_schema_view(post=documented)


def page_shape(name: str, row: type[serializers.Serializer]) -> serializers.Serializer:
    """A page of rows, newest first; `next` is the cursor for `after`, null at the end."""
    members = {"data": row(many=True), "next": serializers.CharField(allow_null=True)}
    shape = type(f"{name}PageShape", (serializers.Serializer,), members)
    return shape()


def list_shape(name: str, row: type[serializers.Serializer]) -> serializers.Serializer:
    """A whole short list."""
    return type(f"{name}ListShape", (serializers.Serializer,), {"data": row(many=True)})()


def say_how_strict(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Spectacular's last hook: a write has a body, and no body takes undocumented members."""
    for path in result["paths"].values():
        if "post" in path:
            path["post"]["requestBody"]["required"] = True
    for name, schema in result["components"]["schemas"].items():
        if name.endswith(("Body", "BodyRequest")):
            schema["additionalProperties"] = False
    return result


def _problems(statuses: tuple[int, ...]) -> dict[tuple[int, str], OpenApiResponse]:
    return {(status, MEDIA_TYPE): OpenApiResponse(ProblemShape, _WHY[status]) for status in sorted(statuses)}


def _key_header() -> OpenApiParameter:
    return OpenApiParameter(
        HEADER,
        {"type": "string", "minLength": 1, "maxLength": 128, "pattern": KEY_PATTERN},
        OpenApiParameter.HEADER,
        required=True,
        description="Your name for this intent, 1 to 128 visible ASCII characters. Repeat it when you retry.",
        examples=[OpenApiExample("An order of yours", value="order-20261122-0042")],
    )


def _replayed_header(answers: Mapping[int, Any]) -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotent-Replayed",
        str,
        OpenApiParameter.HEADER,
        enum=["true"],
        response=[str(status) for status in (*answers, 422)],
        description="`true` when this is the answer a first request with the same key had.",
    )


def _retry_headers(statuses: tuple[int, ...]) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(
            "Retry-After",
            int,
            OpenApiParameter.HEADER,
            response=[str(status) for status in _RETRY if status in statuses],
            description="Seconds to wait before trying again.",
        )
    ]
