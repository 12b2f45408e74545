"""Whose value is honoured where. A store always honours its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from constance import config
from django.db import transaction

from members.domain import audit
from members.domain.ledger import Actor
from members.enums import AccountKind
from members.models import AuditVerb, Staff, Store, StoreAcceptance

_TAKES = {
    AccountKind.PRINCIPAL: "takes_principal",
    AccountKind.BONUS: "takes_bonus",
    AccountKind.SERVICES: "takes_services",
}


def accepted_issuers(store_id: int, kind: AccountKind) -> frozenset[int] | None:
    """The stores whose value of this kind may be used at `store_id`; None means every store's.

    Ask it only when there is value of another store: it reads the exceptions and the house's word.
    """
    pairs = StoreAcceptance.objects.filter(server_id=store_id)
    takes = dict(pairs.values_list("issuer_id", _TAKES[kind]))
    if not config.ACCEPTS_OTHER_STORES:
        return frozenset({store_id, *(issuer for issuer, is_taken in takes.items() if is_taken)})
    refused = {issuer for issuer, is_taken in takes.items() if not is_taken}
    if not refused:
        return None
    return frozenset(Store.objects.exclude(pk__in=refused).values_list("pk", flat=True)) | {store_id}


@transaction.atomic
def set_acceptance(
    *, actor: Actor | Staff, at: datetime, issuer: Store, server: Store, takes: Mapping[AccountKind, bool]
) -> bool:
    """Say whether `server` takes the value of `issuer`, kind by kind; False when it said so already.

    What the house says anyway needs no row. Written into the audit log.
    """
    wanted = {name: takes.get(kind, False) for kind, name in _TAKES.items()}
    row = StoreAcceptance.objects.select_for_update().filter(issuer=issuer, server=server).first()
    house = dict.fromkeys(_TAKES.values(), bool(config.ACCEPTS_OTHER_STORES))
    before = {name: getattr(row, name) for name in wanted} if row else house
    if wanted == before:
        return False
    if wanted == house and row:
        row.delete()
    else:
        StoreAcceptance.objects.update_or_create(issuer=issuer, server=server, defaults=wanted)
    audit.write(
        actor=actor,
        verb=AuditVerb.SETTING_CHANGED,
        subject=("acceptance", f"{issuer} → {server}"),
        store=server,
        before=before,
        after=wanted,
        at=at,
    )
    return True


def grid(stores: Sequence[Store]) -> dict[tuple[int, int], dict[AccountKind, bool]]:
    """What is taken of each store (first) at each other (second), kind by kind; two queries."""
    rows = StoreAcceptance.objects.filter(issuer__in=stores, server__in=stores)
    said = {(row.issuer_id, row.server_id): row for row in rows}
    house = bool(config.ACCEPTS_OTHER_STORES)
    return {
        (issuer.pk, server.pk): {
            kind: getattr(said.get((issuer.pk, server.pk)), name, house) for kind, name in _TAKES.items()
        }
        for issuer in stores
        for server in stores
        if issuer != server
    }
