"""Opening balances of an old system: a whole file or nothing, to the last fen what was typed in, on two people's word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from members.amounts import exponent_of
from members.domain import approvals, audit, ledger
from members.domain.cards import open_card
from members.domain.imports import cells
from members.domain.imports.columns import PURCHASE_COLUMNS, find_columns
from members.domain.imports.reading import Table, misfit_of
from members.domain.ledger import Actor, Leg, NewLot
from members.enums import AccountKind, CardStatus, OperationKind, Role
from members.models import (
    ApprovalStatus,
    Card,
    CardKind,
    CardProduct,
    LimitedDeed,
    Member,
    OpeningBatch,
    Operation,
    Staff,
    Store,
)
from members.phones import InvalidPhone, normalize
from members.refusals import Refused

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "member_no": PURCHASE_COLUMNS["member_no"],
    "phone": PURCHASE_COLUMNS["phone"],
    "principal": ("principal", "本金", "balance", "余额", "储值余额", "本金余额"),
    "bonus": ("bonus", "赠金", "赠送余额", "赠金余额"),
    "points": ("points", "积分", "积分余额"),
}
ROWS_MAX = 20_000
FAULTS_SHOWN = 20
ROW_MAX = 10**9


class OpeningRefused(Refused):
    """A row cannot be taken, so none is. `facts["faults"]` maps row numbers to reasons."""

    code = "opening_rows_invalid"
    field = "file"


class ControlTotalMismatch(Refused):
    """The file does not add up to what was typed in. `facts` say both sums."""

    code = "control_total_mismatch"
    field = "control"


class OpeningForbidden(Refused):
    """Only an owner of the store brings opening balances in, once a file."""

    code = "opening_forbidden"
    field = "file"


@transaction.atomic
def hand_in(
    *,
    table: Table,
    file_name: str,
    store: Store,
    product: CardProduct,
    control_minor: int,
    control_points: int,
    by: Staff,
    note: str,
    at: datetime,
) -> OpeningBatch:
    """Read every row, compare the sums with what was typed in, and ask a second person. Stores no value yet.

    Raises OpeningForbidden, OpeningRefused, ControlTotalMismatch, FileUnreadable, approvals.ReasonMissing.
    """
    if not by.may(store.pk, Role.OWNER):
        raise OpeningForbidden(_("Only an owner of the store brings opening balances in."))
    rows = read_rows(table, store)
    money = sum(row["principal"] + row["bonus"] for row in rows)
    points = sum(row["points"] for row in rows)
    if money and product.kind == CardKind.SERVICES:
        raise OpeningRefused(_("A count card holds no money. Choose another card."), faults={})
    if (money, points) != (control_minor, control_points):
        raise ControlTotalMismatch(
            _("The file does not add up to what you typed in. Nothing was taken."),
            money_minor=money,
            points=points,
        )
    batch = OpeningBatch(
        store=store,
        product=product,
        file_name=file_name[-120:],
        digest=_digest(rows),
        rows=rows,
        money_minor=money,
        points=points,
        maker=by,
        handed_in_at=at,
    )
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError as taken:
        raise OpeningForbidden(_("These balances have been handed in already.")) from taken
    batch.approval = approvals.ask_for(
        deed=LimitedDeed.OPENING,
        payload={"batch": batch.digest, "rows": len(rows), "money": money, "points": points},
        amount=money,
        maker=by,
        store=store,
        note=note,
        at=at,
    )
    batch.save(update_fields=["approval"])
    audit.write(
        actor=by,
        verb="opening_checked",
        subject=batch,
        store=store,
        after={"rows": len(rows), "money": money, "points": points, "batch": batch.digest},
        at=at,
    )
    return batch


def read_rows(table: Table, store: Store) -> list[dict[str, int]]:
    """Each row as {"row", "member", "principal", "bonus", "points"}. One bad row refuses them all."""
    columns = find_columns(table.header, COLUMNS, [("member_no", "phone"), ("principal", "bonus", "points")])
    if len(table) > ROWS_MAX:
        raise OpeningRefused(_("The file has more rows than allowed. Split it."), faults={})
    key, members = _members(table, columns, store)
    rows: list[dict[str, int]] = []
    faults: dict[int, str] = {}
    seen: dict[int, int] = {}
    for number, row in zip(table.numbers, table.rows, strict=True):
        try:
            read = _read_row(row, columns, members[_key(row[columns[key]], key)], len(table.header))
            first = seen.setdefault(read["member"], number)
            if first != number:
                raise cells.BadCell(_("Row %(row)s is the same member.") % {"row": first})
            rows.append({"row": number} | read)
        except KeyError:
            faults[number] = str(_("There is no such member at this store. Import the members first."))
        except IndexError:
            faults[number] = str(_("This row has fewer cells than there are columns."))
        except (cells.BadCell, InvalidPhone) as problem:
            faults[number] = str(problem.message)
    if faults:
        first = min(faults)
        words = _("Row %(row)s: %(reason)s Nothing was taken; %(count)s rows are not right.")
        told = words % {"row": first, "reason": faults[first], "count": len(faults)}
        raise OpeningRefused(told, faults=dict(list(faults.items())[:FAULTS_SHOWN]))
    if not rows:
        raise OpeningRefused(_("The file has no rows."), faults={})
    return rows


def _members(table: Table, columns: Mapping[str, int], store: Store) -> tuple[str, dict[str, int]]:
    """Which column names the member, and the store's members by it; one query."""
    key = "member_no" if "member_no" in columns else "phone"
    wanted = set()
    for row in table.rows:
        try:
            wanted.add(_key(row[columns[key]], key))
        except (cells.BadCell, InvalidPhone, IndexError):
            continue  # told with its row
    found = Member.objects.filter(home_store=store, **{f"{key}__in": wanted})
    return key, dict(found.values_list(key, "pk"))


def _key(cell: str, key: str) -> str:
    return cells.read_text(cell, 32) if key == "member_no" else normalize(cell, settings.REGULARS_REGION)


def _read_row(row: Sequence[str], columns: Mapping[str, int], member: int, width: int) -> dict[str, int]:
    if len(row) != width and (misfit := misfit_of(row, width)):
        raise cells.BadCell(misfit)
    exponent = exponent_of(settings.REGULARS_CURRENCY)
    read = {"member": member}
    for name, places in (("principal", exponent), ("bonus", exponent), ("points", 0)):
        cell = row[columns[name]].strip() if name in columns else ""
        read[name] = int(cells.read_amount(cell, places)) if cell else 0
    if max(read["principal"], read["bonus"], read["points"]) > ROW_MAX:
        raise cells.BadCell(_("The amount is too large."))
    if not read["principal"] + read["bonus"] + read["points"]:
        raise cells.BadCell(_("There is no balance in this row."))
    return read


def _digest(rows: Sequence[Mapping[str, int]]) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@transaction.atomic
def post(*, batch: OpeningBatch, by: Staff, at: datetime) -> OpeningBatch:
    """Put the whole batch into the ledger on its approval, or nothing of it. Audited.

    Told to nobody: members without a card get one of the batch's product, and no text either. Locks the batch.
    Raises OpeningForbidden, ControlTotalMismatch, ledger.ApprovalInvalid and what a deed raises.
    """
    held = (
        OpeningBatch.objects.select_for_update(of=("self",))
        .select_related("store", "product", "approval")
        .get(pk=batch.pk)
    )
    if held.maker_id != by.pk or not by.may(held.store_id, Role.OWNER):
        raise OpeningForbidden(_("Whoever handed the file in posts it, as an owner of the store."))
    if held.posted_at:
        return held
    if held.approval is None or held.approval.status == ApprovalStatus.PENDING:
        raise ledger.ApprovalInvalid("approval_waiting")
    if _digest(held.rows) != held.digest:
        raise ControlTotalMismatch(_("The rows are not those that were approved. Nothing was taken."))
    actor = Actor(f"staff:{by.pk}", by.pk, str(held.approval.public_id))
    cards = _cards(held, actor, at)
    for row in held.rows:
        _post_row(held, row, cards[row["member"]], actor, at)
    _check_sums(held)
    held.posted_at = at
    held.save(update_fields=["posted_at"])
    audit.write(
        actor=by,
        verb="opening_posted",
        subject=held,
        store=held.store,
        after={"rows": len(held.rows), "money": held.money_minor, "points": held.points},
        at=at,
    )
    return held


def _cards(batch: OpeningBatch, actor: Actor, at: datetime) -> dict[int, Card]:
    """Each member's active card, the oldest of several; opened where there is none. A count card takes no money."""
    wanted = [row["member"] for row in batch.rows]
    active = Card.objects.filter(member__in=wanted, status=CardStatus.ACTIVE).order_by("-pk")
    active = active.exclude(product__kind=CardKind.SERVICES)
    cards = {card.member_id: card for card in active.select_related("member", "product")}
    missing = Member.objects.filter(pk__in=set(wanted) - set(cards)).order_by("pk")
    for member in missing:
        key = f"opening:{batch.digest[:32]}:{member.pk}:card"
        cards[member.pk], _outcome = open_card(
            actor=Actor(actor.scope, actor.staff_id),
            key=key,
            at=at,
            store=batch.store,
            member=member,
            product=batch.product,
            is_announced=False,
        )
    return cards


def _post_row(batch: OpeningBatch, row: Mapping[str, int], card: Card, actor: Actor, at: datetime) -> None:
    money = row["principal"] + row["bonus"]
    deed = ledger.open_deed(
        kind=OperationKind.OPENING,
        actor=actor,
        key=f"opening:{batch.digest[:32]}:{row['row']}",
        at=at,
        store_id=batch.store_id,
        member_id=card.member_id,
        card_id=card.pk,
        request={"batch": batch.digest, "row": row["row"], "card": card.pk},
        amount_minor=money,
        note=batch.file_name[:200],
    )
    legs = []
    for kind, name in (
        (AccountKind.PRINCIPAL, "principal"),
        (AccountKind.BONUS, "bonus"),
        (AccountKind.POINTS, "points"),
    ):
        if row[name]:
            paid = row[name] if kind == AccountKind.PRINCIPAL else 0
            lot = NewLot(row[name], paid_minor=paid)
            legs.append(Leg(row[name], account=deed.accounts[kind], lots=(lot,)))
    if money:
        legs.append(Leg(-money, store=batch.store_id, kind=AccountKind.OPENING))
    if row["points"]:
        legs.append(Leg(-row["points"], store=batch.store_id, kind=AccountKind.POINTS_COST))
    ledger.post(deed, legs)


def _check_sums(batch: OpeningBatch) -> None:
    """What stands in the ledger now is what was typed in."""
    done = Operation.objects.filter(kind=OperationKind.OPENING, request__batch=batch.digest)
    entries = list(
        done.filter(entries__account__member__isnull=False).values_list(
            "entries__account_kind", "entries__amount"
        )
    )
    money = sum(amount for kind, amount in entries if kind != AccountKind.POINTS)
    points = sum(amount for kind, amount in entries if kind == AccountKind.POINTS)
    if (money, points) != (batch.money_minor, batch.points):
        raise ControlTotalMismatch(_("The file does not add up to what you typed in. Nothing was taken."))
