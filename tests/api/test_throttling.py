"""A key may call so often a minute. Without the counter reads go on and writes wait."""

from django.core.cache import cache

from crm.api import throttling
from crm.api.models import IdempotentRequest

ARRIVAL = {"type": "customer_arrived", "phone": "13800138000", "data": {"place": "Lobby"}}


def test_over_the_limit_a_key_is_told_when_to_come_back(partner, stranger, settings):
    settings.REGULARS_API_PER_MINUTE = 3

    answers = [partner.get("stores") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert stranger.get("stores").status_code == 200


def test_without_the_cache_reads_go_on_and_writes_wait(partner, li_lei, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }

    read, write = partner.get("stores"), partner.post("events", ARRIVAL)

    assert read.status_code == 200
    assert (write.status_code, write.json()["code"], write["Retry-After"]) == (
        503,
        "limiter_unavailable",
        "2",
    )
    assert not IdempotentRequest.objects.exists()


def test_a_cache_emptied_while_it_counts_is_no_error(partner, li_lei, monkeypatch):
    class Emptied:
        add, get = cache.get, cache.get

        def incr(self, key: str) -> int:
            return cache.incr(f"{key}:gone")

    monkeypatch.setattr(throttling, "cache", Emptied())

    read, write = partner.get("stores"), partner.post("events", ARRIVAL)

    assert (read.status_code, write.status_code) == (200, 503)
    assert not IdempotentRequest.objects.exists()
