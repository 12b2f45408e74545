"""Where a request comes from, and what hangs on it: the lock-out, the metrics, the audit's address."""

import pytest
from django.test import Client, RequestFactory, override_settings
from structlog.contextvars import get_contextvars

from crm.client_address import address_of
from crm.logs import RequestLogMiddleware

BEHIND_PROXY = override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))


@pytest.mark.parametrize(
    ("said", "is_behind", "address"),
    [
        ("203.0.113.9", True, "203.0.113.9"),
        ("10.9.9.9, 203.0.113.9", True, "203.0.113.9"),  # what stands before was said by the caller
        ("", True, "127.0.0.1"),
        ("203.0.113.9", False, "127.0.0.1"),
    ],
)
def test_the_address_is_the_last_one_our_proxy_wrote(said, is_behind, address):
    request = RequestFactory(headers={"X-Forwarded-For": said} if said else None).get("/")

    with override_settings(SECURE_PROXY_SSL_HEADER=("X", "https") if is_behind else None):
        assert address_of(request) == address


def test_the_log_and_the_audit_know_who_called_through_the_proxy():
    seen = []
    middleware = RequestLogMiddleware(lambda request: seen.append(get_contextvars()["address"]) or {})

    with BEHIND_PROXY:
        middleware(RequestFactory(headers={"X-Forwarded-For": "203.0.113.9"}).get("/"))

    assert seen == ["203.0.113.9"]


@pytest.mark.parametrize(("headers", "status"), [({"X-Forwarded-For": "203.0.113.9"}, 404), ({}, 200)])
def test_a_stranger_behind_the_proxy_reads_no_metrics(db, headers, status):
    with BEHIND_PROXY, override_settings(REGULARS_METRICS_FROM=["127.0.0.1"]):
        assert Client(headers=headers).get("/metrics/").status_code == status


def test_a_stranger_behind_the_proxy_locks_nobody_else_out(chen):
    stranger, at_work = (
        Client(headers={"X-Forwarded-For": address}) for address in ("203.0.113.9", "198.51.100.7")
    )
    with BEHIND_PROXY:
        for _try in range(5):
            last = stranger.post("/login/", {"username": "chen", "password": "a wrong guess"})
        answer = at_work.post("/login/", {"username": "chen", "password": "a long enough word"})

    assert (last.status_code, answer.status_code) == (429, 302)
