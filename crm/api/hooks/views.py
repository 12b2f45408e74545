"""A provider's call: read within bounds, handed to messaging, answered in the provider's own words after the commit.

Exempt from the protection against forged forms: that protects a browser's session, and here is none. Who calls is
proven by the secret path and the signature instead, and no cookie is looked at.
"""

from __future__ import annotations

import re

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.client_address import address_of
from messaging.domain.callbacks import BODY_OCTETS_MAX, Call, NotGenuine, NotStored, What, take_in
from messaging.gateways.callbacks import CallbackUnreadable


@csrf_exempt
@require_POST
@never_cache
def gateway_call(request: HttpRequest, token: str, what: What) -> HttpResponse:
    """401 without a word for a stranger, 413 above 1 MB, 400 for what cannot be read, 503 to be called again."""
    body = _body(request)
    if body is None:
        return HttpResponse(status=413)
    call = Call(
        token=token,
        what=what,
        url=request.build_absolute_uri(),
        path=request.get_full_path(),
        headers=dict(request.headers.items()),
        content_type=request.content_type or "",
        body=body,
        address=address_of(request),
    )
    try:
        status, content_type, said = take_in(call, at=now())
    except NotGenuine:
        return HttpResponse(status=401)
    except CallbackUnreadable:
        return HttpResponse(status=400)
    except (NotStored, DatabaseError):
        return HttpResponse(status=503)
    return HttpResponse(said, status=status, content_type=content_type)


def _body(request: HttpRequest) -> bytes | None:
    """At most 1 MB, whatever the header says; None for more."""
    stated = request.META.get("CONTENT_LENGTH") or "0"
    if not re.fullmatch("[0-9]{1,12}", stated) or int(stated) > BODY_OCTETS_MAX:
        return None
    body = request.read(BODY_OCTETS_MAX + 1)
    return body if len(body) <= BODY_OCTETS_MAX else None
