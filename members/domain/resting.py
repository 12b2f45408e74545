"""What the owner of a count card decides about it: a rest that moves its end, and who may use it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from members.domain import audit
from members.domain.deeds import CardNotUsable
from members.domain.ledger import Actor
from members.domain.moves import lock_accounts
from members.domain.services import CardPaused
from members.enums import CardStatus
from members.models import Card, CardKind, CardPause, Sharer, Store
from members.refusals import Refused

_LATER = """
UPDATE members_lot l
SET expires_at = l.expires_at + (%s - greatest(%s, o.at))
FROM members_account a, members_operation o
WHERE a.card_id = %s AND a.kind = 'services' AND l.account_id = a.id AND l.remaining > 0
  AND l.expires_at IS NOT NULL AND o.id = l.operation_id AND o.at < %s
"""


class SharersFull(Refused):
    """The card product lets no more people share it."""

    code = "sharers_full"
    field = "name"


class SharerRefused(Refused):
    """No name, or one that is there already."""

    code = "sharer_invalid"
    field = "name"


def pause(*, actor: Actor, at: datetime, store: Store, card: Card) -> CardPause:
    """Let a count card rest: nothing is taken from it and nothing of it expires. A paused one stays as it is."""
    with transaction.atomic():
        lock_accounts(actor, [card])
        _check_usable(card)
        open_pause = CardPause.objects.filter(card=card, ended_at=None).first()
        if open_pause:
            return open_pause
        rest = CardPause.objects.create(card=card, began_at=at, staff_id=actor.staff_id)
        audit.write(actor=actor, verb="card_paused", subject=card, store=store, at=at)
        return rest


def resume(*, actor: Actor, at: datetime, store: Store, card: Card) -> CardPause:
    """End a rest; the services left end exactly as much later as it was long.

    Done again it gives the last rest. Raises CardPaused when there was none.
    """
    with transaction.atomic():
        lock_accounts(actor, [card])
        rest = CardPause.objects.filter(card=card).order_by("-id").first()
        if rest is None:
            raise CardPaused(_("This card is not paused."))
        if rest.ended_at is not None:
            return rest
        end = max(at, rest.began_at)
        with connection.cursor() as cursor:
            cursor.execute(_LATER, [end, rest.began_at, card.pk, end])
        rest.ended_at = end
        rest.moved_days = -((rest.began_at - end) // timedelta(days=1))
        rest.save(update_fields=["ended_at", "moved_days"])
        audit.write(
            actor=actor,
            verb="card_resumed",
            subject=card,
            store=store,
            after={"from": rest.began_at, "days": rest.moved_days},
            at=at,
        )
        return rest


def add_sharer(*, actor: Actor, at: datetime, store: Store, card: Card, name: str, phone: str = "") -> Sharer:
    """Name somebody who may take services too. The same name again gives the same sharer.

    Raises SharersFull, SharerRefused.
    """
    name = " ".join(name.split())
    if not name:
        raise SharerRefused(_("Say who it is."))
    with transaction.atomic():
        Card.objects.select_for_update(no_key=True).get(pk=card.pk)
        _check_usable(card)
        named = Sharer.objects.filter(card=card, removed_at=None)
        if known := named.filter(name=name).first():
            return known
        if named.count() >= card.product.sharers_max:
            raise SharersFull(_("This card may be shared with no more people."))
        sharer = Sharer.objects.create(card=card, name=name, phone=phone, added_at=at)
        audit.write(actor=actor, verb="sharer_added", subject=card, store=store, after={"name": name}, at=at)
        return sharer


def remove_sharer(*, actor: Actor, at: datetime, store: Store, sharer: Sharer) -> None:
    """Take the word back; what they took stays in the books under their name. Done again it changes nothing."""
    with transaction.atomic():
        removed = Sharer.objects.filter(pk=sharer.pk, removed_at=None).update(removed_at=at)
        if removed:
            audit.write(
                actor=actor,
                verb="sharer_removed",
                subject=sharer.card,
                store=store,
                before={"name": sharer.name},
                at=at,
            )


def _check_usable(card: Card) -> None:
    if card.product.kind != CardKind.SERVICES:
        raise CardNotUsable(_("This is not a count card."))
    if Card.objects.filter(pk=card.pk).exclude(status=CardStatus.ACTIVE).exists():
        raise CardNotUsable(_("This card is not active."))
