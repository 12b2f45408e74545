"""Who calls: `Authorization: Api-Key …`. A key sees its stores and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm.api.models import ApiKey
from crm.api.problems import Problem

if TYPE_CHECKING:
    from rest_framework.views import APIView

KEYWORD = "Api-Key"
_SHAPE = re.compile(r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{24,64}", re.ASCII)


class ApiKeyAuthentication(BaseAuthentication):
    """`request.auth` becomes the ApiKey with its stores. Unknown, revoked and expired keys get one answer."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        keyword, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if keyword.lower() != KEYWORD.lower():
            return None
        key = find_key(secret)
        if key is None:
            raise AuthenticationFailed(_("This key is not valid."))
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return KEYWORD


class HasApiKey(BasePermission):
    """A valid key, bound to at least one store."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        if not request.auth.stores.all():
            raise Problem(403, "key_without_stores", _("This key is not bound to any store yet."))
        return True


def find_key(secret: str) -> ApiKey | None:
    """The usable key with this secret and its stores, in two queries."""
    if not _SHAPE.fullmatch(secret):
        return None
    usable = ApiKey.objects.get_usable_keys().prefetch_related("stores")
    key = usable.filter(prefix=secret.partition(".")[0]).first()
    return key if key and key.is_valid(secret) and not key.has_expired else None
