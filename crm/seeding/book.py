"""A year of bookkeeping in memory, by the ledger's own arithmetic, to be stored at once.

The one place outside `members.domain.ledger` that makes entries: history has no till to go through. What it makes
passes `verify_ledger` and the database's own guards.
"""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Max

from crm.seeding.storing import TABLES, store_history
from crm.seeding.wallet import Wallet
from members.domain.allocation import OpenLot, Use, take, take_in_order
from members.domain.earning import points_for
from members.domain.verify_rules import TOLD_BY
from members.enums import (
    MEMBER_ACCOUNTS,
    POINTS_ACCOUNTS,
    STORED_VALUE,
    AccountKind,
    OperationKind,
    SpendOrder,
    TenderType,
    Unit,
)
from members.models import (
    Account,
    Card,
    Entry,
    Lot,
    LotUse,
    Member,
    MembershipEvent,
    Operation,
    Purchase,
    RechargePlan,
    Reward,
    Shift,
    Staff,
    Store,
    Tender,
)


@dataclass(frozen=True)
class _Leg:
    account: Account
    amount: int
    uses: tuple[Use, ...] = ()
    paid_minor: int = 0
    expires_at: datetime | None = None


class Book:
    """Deeds in the order of time. `rows` collects what `store_all` writes."""

    def __init__(self) -> None:
        self.rows: dict[type[models.Model], list[Any]] = defaultdict(list)
        self._ids = {table: itertools.count(_last_id(table) + 1) for table in TABLES}
        self._houses = {
            (account.store_id, account.kind): account for account in Account.objects.filter(member=None)
        }
        self._by_id: dict[int, Lot] = {}
        self._shifts: dict[tuple[int, int, date], Shift] = {}
        self._keys = itertools.count(1)

    def add(self, row: models.Model) -> Any:
        """Give a row its id and keep it."""
        row.pk = next(self._ids[type(row)])
        self.rows[type(row)].append(row)
        return row

    def open_card(self, member: Member, store: Store, card: Card, staff: Staff, at: datetime) -> Wallet:
        """Open an unsaved card."""
        operation = self._operation(OperationKind.OPEN_CARD, member, store, staff, at, None, 0)
        card.number = f"8{uuid.uuid5(uuid.NAMESPACE_OID, str(operation.pk)).int % 10**15:015d}"
        self.add(card)
        accounts = {
            kind: self.add(
                Account(
                    kind=kind, member=member, card=None if kind == AccountKind.POINTS else card, balance=0
                )
            )
            for kind in MEMBER_ACCOUNTS
        }
        wallet = Wallet(member, card, store, accounts)
        self._tell(operation, wallet, {})
        return wallet

    def recharge(
        self, wallet: Wallet, plan: RechargePlan, staff: Staff, at: datetime, tender: TenderType
    ) -> None:
        """A recharge by a plan."""
        operation = self._operation(
            OperationKind.RECHARGE, wallet.member, wallet.store, staff, at, wallet.card, plan.pay_minor
        )
        ends = at + timedelta(days=plan.bonus_valid_days) if plan.bonus_valid_days else None
        house = wallet.store
        legs = [
            _Leg(wallet.accounts[AccountKind.PRINCIPAL], plan.pay_minor, paid_minor=plan.pay_minor),
            _Leg(self._house(house, AccountKind.TENDER), -plan.pay_minor),
        ]
        if plan.bonus_minor:
            legs += [
                _Leg(wallet.accounts[AccountKind.BONUS], plan.bonus_minor, expires_at=ends),
                _Leg(self._house(house, AccountKind.BONUS_COST), -plan.bonus_minor),
            ]
        if plan.points:
            legs += self._points_legs(wallet, plan.points, at)
        self._post(operation, wallet, legs)
        self._tender(operation, tender, plan.pay_minor)
        self._tell(
            operation, wallet, {"amount": plan.pay_minor, "bonus": plan.bonus_minor, "points": plan.points}
        )

    def spend(self, wallet: Wallet, bill: int, staff: Staff, at: datetime, tender: TenderType) -> Operation:
        """A bill, from the card as far as it goes and the rest by `tender`."""
        lots = self._usable(wallet, STORED_VALUE, at)
        stored = min(bill, sum(lot.remaining for lot in lots))
        operation = self._operation(
            OperationKind.SPEND, wallet.member, wallet.store, staff, at, wallet.card, bill
        )
        uses = take(lots, stored, SpendOrder(wallet.card.product.spend_order))
        legs = [*self._legs_of(wallet, uses), _Leg(self._house(wallet.store, AccountKind.SALES), bill)]
        if bill > stored:
            legs.append(_Leg(self._house(wallet.store, AccountKind.TENDER), stored - bill))
            self._tender(operation, tender, bill - stored)
        points = points_for(wallet.card.product, bill)
        if points:
            legs += self._points_legs(wallet, points, at)
        self._post(operation, wallet, legs)
        self.add(
            Purchase(member=wallet.member, store=wallet.store, operation=operation, at=at, amount_minor=bill)
        )
        taken = {leg.account.kind: -leg.amount for leg in legs if leg.account in wallet.accounts.values()}
        facts = {"amount": bill, "stored_value": stored, "points": points}
        facts |= {kind: max(taken.get(kind, 0), 0) for kind in STORED_VALUE}
        self._tell(operation, wallet, facts)
        return operation

    def earn(self, wallet: Wallet, points: int, reason: str, staff: Staff, at: datetime) -> Operation:
        """Points without a bill."""
        operation = self._operation(
            OperationKind.EARN, wallet.member, wallet.store, staff, at, wallet.card, 0
        )
        self._post(operation, wallet, self._points_legs(wallet, points, at))
        facts = {"points": points, "reason": reason, "points_balance": wallet.points()}
        key = f"operation:{operation.public_id}"
        self.tell("points_earned", wallet, facts, at, source=operation.scope, key=key, operation=operation)
        return operation

    def redeem(self, wallet: Wallet, reward: Reward, staff: Staff, at: datetime) -> bool:
        """Points for a reward, if there are enough."""
        lots = self._usable(wallet, (AccountKind.POINTS,), at)
        if sum(lot.remaining for lot in lots) < reward.points:
            return False
        operation = self._operation(
            OperationKind.REDEEM, wallet.member, wallet.store, staff, at, wallet.card, 0, note=reward.name
        )
        legs = self._legs_of(wallet, take_in_order(lots, reward.points))
        self._post(
            operation, wallet, [*legs, _Leg(self._house(wallet.store, AccountKind.REWARDS), reward.points)]
        )
        self._tell(operation, wallet, {"reward": reward.name, "points": reward.points})
        return True

    def refund(self, wallet: Wallet, sale: Operation, staff: Staff, at: datetime) -> None:
        """Take the latest spend of a wallet back, whole, before anything else happened on it."""
        operation = self._operation(
            OperationKind.REFUND, wallet.member, wallet.store, staff, at, wallet.card, sale.amount_minor, sale
        )
        entries = [entry for entry in self.rows[Entry][-8:] if entry.operation_id == sale.pk]
        uses: dict[int, list[Use]] = defaultdict(list)
        for use in self.rows[LotUse][-40:]:
            uses[use.entry_id].append(Use(use.lot_id, -use.amount))
        legs = []
        for entry in entries:
            back = tuple(uses[entry.pk])
            if entry.account_kind == AccountKind.POINTS:
                earned = next(lot for lot in reversed(wallet.lots) if lot.operation_id == sale.pk)
                back = (Use(earned.pk, -earned.original),)
            legs.append(_Leg(entry.account, -entry.amount, uses=back))
        self._post(operation, wallet, legs)
        for paid in [row for row in self.rows[Tender][-2:] if row.operation_id == sale.pk]:
            self._tender(operation, TenderType(paid.type), -paid.amount_minor)
        taken = {entry.account_kind: abs(entry.amount) for entry in entries}
        stored = sum(taken.get(kind, 0) for kind in STORED_VALUE)
        facts = {
            "amount": sale.amount_minor,
            "stored_value": stored,
            "points": taken.get(AccountKind.POINTS, 0),
        }
        self._tell(operation, wallet, facts)

    def store_all(self) -> None:
        """Write everything, parents first, and set the sequences behind it."""
        store_history(self.rows)

    def counts(self) -> dict[str, int]:
        """How many rows of each table."""
        return {
            str(table._meta.verbose_name_plural): len(self.rows[table]) for table in (Operation, Purchase)
        }

    def _operation(
        self,
        kind: OperationKind,
        member: Member,
        store: Store,
        staff: Staff,
        at: datetime,
        card: Card | None,
        amount: int,
        reverses: Operation | None = None,
        note: str = "",
    ) -> Operation:
        return self.add(
            Operation(
                kind=kind,
                scope=f"staff:{staff.pk}",
                key=f"history-{next(self._keys)}",
                request={"kind": str(kind), "member": member.pk, "store": store.pk},
                store=store,
                staff=staff,
                member=member,
                card=card,
                reverses=reverses,
                amount_minor=amount,
                note=note,
                at=at,
                created_at=at,
            )
        )

    def _tender(self, operation: Operation, type: TenderType, amount_minor: int) -> None:
        shift = self._shift_of(operation) if type == TenderType.CASH else None
        self.add(Tender(operation=operation, type=type, amount_minor=amount_minor, shift=shift))

    def _shift_of(self, operation: Operation) -> Shift:
        """The cashier's shift of the deed's business day; left open, as the till would."""
        on = operation.at.astimezone(operation.store.zone).date()
        place = (operation.store_id, operation.staff_id or 0, on)
        if place not in self._shifts:
            shift = Shift(
                store=operation.store,
                staff=operation.staff,
                on=on,
                opened_at=operation.at,
                opening_minor=30000,
            )
            self._shifts[place] = self.add(shift)
        return self._shifts[place]

    def _post(self, operation: Operation, wallet: Wallet, legs: Sequence[_Leg]) -> None:
        for leg in legs:
            account = leg.account
            if account.balance is not None:
                account.balance += leg.amount
                account.last_seq += 1
                account.last_hash = _link(account, leg.amount, operation)
            entry = self.add(
                Entry(
                    operation=operation,
                    account=account,
                    operation_kind=operation.kind,
                    account_kind=account.kind,
                    sign=1 if leg.amount > 0 else -1,
                    unit=Unit.POINTS if account.kind in POINTS_ACCOUNTS else Unit.MONEY,
                    amount=leg.amount,
                    seq=account.last_seq if account.balance is not None else None,
                    balance_after=account.balance,
                    hash=account.last_hash,
                    created_at=operation.at,
                )
            )
            for use in leg.uses:
                self._by_id[use.lot].remaining += use.amount
                self.add(LotUse(entry=entry, lot=self._by_id[use.lot], amount=use.amount))
            if account.balance is not None and not leg.uses:
                self._new_lot(operation, wallet, leg)

    def _new_lot(self, operation: Operation, wallet: Wallet, leg: _Leg) -> None:
        lot = self.add(
            Lot(
                account=leg.account,
                operation=operation,
                source=operation,
                original=leg.amount,
                remaining=leg.amount,
                paid_minor=leg.paid_minor,
                expires_at=leg.expires_at,
            )
        )
        wallet.lots.append(lot)
        self._by_id[lot.pk] = lot

    def _usable(self, wallet: Wallet, kinds: Iterable[AccountKind], at: datetime) -> list[OpenLot]:
        wanted = {wallet.accounts[kind].pk: kind for kind in kinds}
        usable = [
            lot
            for lot in wallet.lots
            if lot.account_id in wanted
            and lot.remaining > 0
            and (lot.expires_at is None or lot.expires_at > at)
        ]
        usable.sort(key=lambda lot: (lot.expires_at is None, lot.expires_at or at, lot.pk))
        return [OpenLot(lot.pk, wanted[lot.account_id], lot.source_id, lot.remaining) for lot in usable]

    def _legs_of(self, wallet: Wallet, uses: Sequence[Use]) -> list[_Leg]:
        by_account: dict[int, list[Use]] = defaultdict(list)
        for use in uses:
            by_account[self._by_id[use.lot].account_id].append(use)
        accounts = {account.pk: account for account in wallet.accounts.values()}
        return [
            _Leg(accounts[pk], sum(use.amount for use in part), tuple(part))
            for pk, part in by_account.items()
        ]

    def _points_legs(self, wallet: Wallet, points: int, at: datetime) -> list[_Leg]:
        days = wallet.card.product.points_valid_days
        ends = at + timedelta(days=days) if days else None
        return [
            _Leg(wallet.accounts[AccountKind.POINTS], points, expires_at=ends),
            _Leg(self._house(wallet.store, AccountKind.POINTS_COST), -points),
        ]

    def _house(self, store: Store, kind: AccountKind) -> Account:
        if (store.pk, kind) not in self._houses:
            self._houses[store.pk, kind] = self.add(Account(kind=kind, store=store, balance=None))
        return self._houses[store.pk, kind]

    def _tell(self, operation: Operation, wallet: Wallet, facts: Mapping[str, Any]) -> None:
        principal, bonus = (wallet.accounts[kind].balance or 0 for kind in STORED_VALUE)
        payload = {
            **facts,
            "balance": principal + bonus,
            "principal_balance": principal,
            "bonus_balance": bonus,
            "points_balance": wallet.points(),
            "card": f"…{wallet.card.number[-4:]}",
        }
        self.tell(
            TOLD_BY[OperationKind(operation.kind)],
            wallet,
            payload,
            operation.at,
            source=operation.scope,
            key=f"operation:{operation.public_id}",
            operation=operation,
        )

    def tell(
        self,
        name: str,
        wallet: Wallet,
        payload: Mapping[str, Any],
        at: datetime,
        *,
        source: str,
        key: str,
        operation: Operation | None = None,
    ) -> None:
        """Write down an event without announcing it."""
        self.add(
            MembershipEvent(
                type=name,
                member=wallet.member,
                store=wallet.store,
                operation=operation,
                payload=dict(payload),
                source=source,
                key=key,
                at=at,
                created_at=at,
            )
        )


def _link(account: Account, amount: int, operation: Operation) -> bytes:
    """The account's next hash, as `ledger_link` in members/sql/ledger.sql makes it; L16 compares them."""
    said = f"{account.pk}|{account.last_seq}|{amount}|{account.balance}|{operation.pk}"
    return hashlib.sha256(bytes(account.last_hash or b"") + said.encode()).digest()


def _last_id(table: type[models.Model]) -> int:
    return table._default_manager.aggregate(last=Max("pk"))["last"] or 0
