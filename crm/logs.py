"""Logging through structlog, with a request id on every line and phone numbers and keys masked."""

import logging
import re
import uuid
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

from crm.client_address import address_of

_PHONE = re.compile(r"(?<!\d)(\+?\d{2,6})(\d{4})(\d{4})(?!\d)")
_KEY = re.compile(r"\b([A-Za-z0-9]{8})\.[A-Za-z0-9]{24,}\b")


def mask_text(text: str) -> str:
    """The text with phone numbers and API keys shortened to what a reader may know."""
    return _KEY.sub(r"\1.…", _PHONE.sub(r"\1****\3", text))


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: mask every string value."""
    for name, value in event.items():
        if isinstance(value, str) and name not in {"timestamp", "request_id", "address"}:
            event[name] = mask_text(value)
    return event


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: one handler to standard error, JSON or readable."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        mask_event,
    ]
    last = (
        structlog.processors.JSONRenderer()
        if options["json"]
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options["level"])


class RequestLogMiddleware:
    """Gives each request an id, bound with where it came from to its log lines, and returned in `X-Request-ID`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id, address=address_of(request)):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
