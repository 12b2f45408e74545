"""Asking providers about texts in doubt: each a minute after its try at the earliest, then ever more seldom.

No transaction is open while a provider is asked. What it says counts only if nothing has been learnt meanwhile; what it
does not say plainly leaves the doubt to the rule of the class (sweep_uncertain.sql).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.core.cache import cache
from django.db import connection, transaction

from messaging.domain.dispatch.lease import GatewayConfig
from messaging.domain.dispatch.links import provider_for
from messaging.enums import GatewayKind
from messaging.gateways.callbacks import storable
from messaging.gateways.lookup import Askable, Doubt, Finding, ask
from messaging.gateways.web import WebAnswer, WebRequest
from messaging.models import Attempt, Gateway, Message, SubmittedPart
from messaging.secrets import SecretUnreadable
from messaging.sql import statement
from messaging.states import Reason, State

log = structlog.get_logger(__name__)

ROUND_MAX = 10  # questions, each of five seconds at most
LOOKED_AT_MAX = 500
LOOKED_UP_TO = "asked-providers-up-to"  # in the cache: the next round goes on after it
# A list may be late itself: what is not in it after five minutes was never there.
ABSENT_AFTER = timedelta(minutes=5)
ASKED_AGAIN_MIN, ASKED_AGAIN_MAX = timedelta(minutes=1), timedelta(hours=6)
KINDS = (GatewayKind.ALIYUN, GatewayKind.TENCENT, GatewayKind.TWILIO)

_DOUBTS = statement("doubts")
_STATES = {
    "accepted": (State.ACCEPTED, Reason.NONE),
    "delivered": (State.DELIVERED, Reason.NONE),
    "undelivered": (State.UNDELIVERED, Reason.NOT_DELIVERED),
}

Ask = Callable[[WebRequest], WebAnswer | None]


class _Open(NamedTuple):
    gateway_id: int
    message_id: int
    number: int
    may_go_again: bool
    doubt: Doubt


def ask_providers(*, at: datetime, ask: Ask = ask) -> int:
    """Ask about at most ten texts. Gives how many are no longer in doubt. Safe to run anywhere, twice."""
    gateways = {gateway.pk: gateway for gateway in Gateway.objects.filter(is_active=True, kind__in=KINDS)}
    providers: dict[int, Askable | None] = {}
    asked = settled = 0
    case = None
    for case in _doubts(list(gateways), at) if gateways else []:
        if case.gateway_id not in providers:
            providers[case.gateway_id] = _provider(gateways[case.gateway_id])
        provider = providers[case.gateway_id]
        if provider is None or not _is_turn(case.doubt, at):
            continue
        answer = ask(provider.inquiry(case.doubt, at.timestamp(), secrets.token_hex(16)))
        if answer is None:  # nobody there just now: nor for the next question
            providers[case.gateway_id] = None
            continue
        finding = _finding(provider, case, answer, at)
        settled += finding is not None and _settle(case, finding, at)
        asked += 1
        if asked == ROUND_MAX:
            break
    if case:
        cache.set(LOOKED_UP_TO, case.doubt.attempt_id)
    return settled


def _doubts(gateways: list[int], at: datetime) -> list[_Open]:
    after = cache.get(LOOKED_UP_TO, 0)
    with connection.cursor() as cursor:
        cursor.execute(_DOUBTS, {"gateways": gateways, "at": at, "limit": LOOKED_AT_MAX, "after": after})
        return [
            _Open(gateway_id, message_id, number, may_go_again, Doubt(*doubt))
            for gateway_id, message_id, number, may_go_again, *doubt in cursor.fetchall()
        ]


def _provider(gateway: Gateway) -> Askable | None:
    config = GatewayConfig(*(getattr(gateway, name) for name in GatewayConfig._fields))
    try:
        provider = provider_for(config)
    except (SecretUnreadable, TypeError, ValueError) as problem:
        log.warning("provider_not_asked", gateway=gateway.name, error=type(problem).__name__)
        return None
    return provider if isinstance(provider, Askable) else None


def _is_turn(doubt: Doubt, at: datetime) -> bool:
    """Once by whoever comes first, and again after half as long as the doubt is old."""
    pause = min(max((at - doubt.tried_at) / 2, ASKED_AGAIN_MIN), ASKED_AGAIN_MAX)
    return bool(cache.add(f"asked-provider:{doubt.attempt_id}", 1, pause.total_seconds()))


def _finding(provider: Askable, case: _Open, answer: WebAnswer, at: datetime) -> Finding | None:
    finding = provider.finding(case.doubt, answer, lambda ids: _known(case.gateway_id, ids))
    if finding is None or finding.outcome != "absent":
        return finding
    return finding if case.may_go_again and at - case.doubt.tried_at >= ABSENT_AFTER else None


def _known(gateway_id: int, ids: Sequence[str]) -> frozenset[str]:
    parts = SubmittedPart.objects.filter(gateway=gateway_id, provider_id__in=ids)
    return frozenset(parts.values_list("provider_id", flat=True))


@transaction.atomic
def _settle(case: _Open, finding: Finding, at: datetime) -> bool:
    """Write it down, if it is still in doubt."""
    is_absent = finding.outcome == "absent"
    noted = Attempt.objects.filter(pk=case.doubt.attempt_id, outcome="uncertain").update(
        outcome="not_sent" if is_absent else "accepted",
        raw_status=storable(f"asked: {finding.raw}")[:64],
        answered_at=at,
    )
    text = Message.objects.filter(pk=case.message_id, state=State.UNCERTAIN, attempts=case.number)
    if not noted:
        return False
    if is_absent:
        return bool(text.update(state=State.QUEUED, reason=Reason.NO_ANSWER, due_at=at, gateway=None))
    if finding.provider_id:
        outcome = "" if finding.outcome == "accepted" else finding.outcome
        part = SubmittedPart(
            message_id=case.message_id,
            attempt_id=case.doubt.attempt_id,
            gateway_id=case.gateway_id,
            part=1,
            provider_id=storable(finding.provider_id),
            outcome=outcome,
        )
        SubmittedPart.objects.bulk_create([part], ignore_conflicts=True)
    state, reason = _STATES[finding.outcome]
    final_at = None if state == State.ACCEPTED else at
    return bool(text.update(state=state, reason=reason, final_at=final_at))
