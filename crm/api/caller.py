"""The other system that calls, and what it may see: the rows of its key's stores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from crm.api.models import ApiKey
from crm.api.problems import Problem
from members.domain.ledger import Actor
from members.models import Card, Hold, Member, Operation, Store
from messaging.models import Message


@dataclass(frozen=True)
class Caller:
    """A key and its stores; `at` is when the request came, `key` its Idempotency-Key ("" on reads)."""

    api_key: ApiKey
    at: datetime
    key: str = ""

    @property
    def actor(self) -> Actor:
        return Actor(scope=self.api_key.source)

    @property
    def stores(self) -> list[Store]:
        return list(self.api_key.stores.all())

    @property
    def store_ids(self) -> list[int]:
        return [store.pk for store in self.stores]

    def store(self, public_id: UUID | None) -> Store:
        """The named store, or the key's only one. 422 `store_required` or `store_unknown` otherwise."""
        if public_id is None and len(self.stores) == 1:
            return self.stores[0]
        if public_id is None:
            raise _at_store("store_required", _("This key has several stores. Say which."))
        for store in self.stores:
            if store.public_id == public_id:
                return store
        raise _at_store("store_unknown", _("This key has no such store."))

    def members(self) -> QuerySet[Member]:
        return Member.objects.current().filter(home_store__in=self.store_ids).select_related("home_store")

    def cards(self) -> QuerySet[Card]:
        return Card.objects.filter(store__in=self.store_ids).select_related("store", "member", "product")

    def holds(self) -> QuerySet[Hold]:
        found = Hold.objects.filter(card__store__in=self.store_ids)
        return found.select_related("store", "card__store", "card__member", "card__product")

    def operations(self) -> QuerySet[Operation]:
        found = Operation.objects.filter(store__in=self.store_ids)
        return found.select_related("store", "member", "card__member", "card__product", "reverses")

    def messages(self) -> QuerySet[Message]:
        return Message.objects.filter(store__in=self.store_ids).select_related("event")

    def offered(self) -> Q:
        """Offers of every store and of the key's own."""
        return Q(store=None) | Q(store__in=self.store_ids)


def _at_store(code: str, detail: str | Promise) -> Problem:
    return Problem(422, code, detail, errors=[("/store", code, detail)])


def caller_of(request: Request, at: datetime, key: str = "") -> Caller:
    assert isinstance(request.auth, ApiKey)
    return Caller(request.auth, at, key)
