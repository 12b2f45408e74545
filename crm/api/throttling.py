"""How often a key may call: a sliding minute counted in the cache."""

from __future__ import annotations

import math
import time

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from crm.api.models import ApiKey
from crm.api.problems import Problem

WINDOW_SECONDS = 60


class KeyThrottle(BaseThrottle):
    """`REGULARS_API_PER_MINUTE` requests a key. Without the cache reads pass and writes answer 503."""

    wait_seconds = 1

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return True
        now = time.time()
        try:
            used = _count(request.auth.prefix, now)
        except (RedisError, OSError, ValueError) as down:  # ValueError: emptied while it counted
            if request.method in SAFE_METHODS:
                return True
            detail = _("The request limiter does not answer. Nothing was done; try again.")
            raise Problem(503, "limiter_unavailable", detail, retry_after=2) from down
        self.wait_seconds = math.ceil(WINDOW_SECONDS - now % WINDOW_SECONDS)
        return used <= settings.REGULARS_API_PER_MINUTE

    def wait(self) -> float:
        return self.wait_seconds


def _count(prefix: str, now: float) -> float:
    """Count this request; how many fell into the last minute, the window before weighed by its overlap."""
    window = int(now // WINDOW_SECONDS)
    this, before = f"api:{prefix}:{window}", f"api:{prefix}:{window - 1}"
    cache.add(this, 0, WINDOW_SECONDS * 3)
    overlap = 1 - now % WINDOW_SECONDS / WINDOW_SECONDS
    return cache.incr(this) + cache.get(before, 0) * overlap
