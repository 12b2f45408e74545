"""Members of the key's stores: found, enrolled, their balances and their statement."""

from __future__ import annotations

import re
from typing import Any

from constance import config
from django.conf import settings
from django.db.models import F, Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.caller import Caller
from crm.api.cursors import PAGE_DEFAULT, PAGE_MAX, page_of
from crm.api.endpoints import ReadEndpoint, WriteEndpoint, one_or_404
from crm.api.fields import Day, Flag, PublicId, Strict, Text
from crm.api.idempotency import Answer
from crm.api.openapi import documented_read, documented_write, list_shape, page_shape
from crm.api.shapes import CouponShape, EntryShape, MemberBalancesShape, MemberShape
from members.domain.enrolment import Consents, PhoneUnusable, enrol_member, read_phone
from members.enums import AccountKind, ConsentSource, Gender
from members.models import Account, Coupon, Entry

EARLIEST_BIRTH_YEAR = 1900
COUPONS_SHOWN = 100


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT})
class Limit(serializers.IntegerField):
    """Rows a page, in plain digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=PAGE_MAX, default=PAGE_DEFAULT, **options)

    def to_internal_value(self, data: Any) -> int:
        if not re.fullmatch("[0-9]{1,3}", str(data)):
            self.fail("invalid")
        return int(data)


class PageQuery(Strict):
    after = Text(required=False, default="", max_length=80, help_text="The `next` of the page before.")
    limit = Limit()


class MembersQuery(PageQuery):
    phone = Text(required=False, max_length=40, help_text="Any usual spelling of the number.")

    def validate_phone(self, raw: str) -> str:
        try:
            return read_phone(raw)
        except PhoneUnusable as refused:
            raise serializers.ValidationError(str(refused.message), refused.code) from refused


class ConsentsBody(Strict):
    """Two separate words. `wording_version` names the text they agreed to; the shop's own by default."""

    service = Flag()
    marketing = Flag()
    wording_version = Text(required=False, max_length=32)


class EnrolBody(Strict):
    phone = Text(max_length=40)
    consents = ConsentsBody()
    store = PublicId(required=False)
    name = Text(required=False, default="", allow_blank=True, max_length=80)
    language = serializers.ChoiceField(required=False, choices=settings.LANGUAGES)
    birthday = Day(required=False)
    gender = serializers.ChoiceField(required=False, default="", choices=Gender.choices)
    tags = serializers.ListField(child=Text(max_length=40), required=False, default=list, max_length=20)

    def validate_birthday(self, day: Any) -> Any:
        if day.year < EARLIEST_BIRTH_YEAR or day > now().date():
            raise serializers.ValidationError(_("This is not somebody’s birthday."), "birthday_out_of_range")
        return day


_ENROL = {
    "Enrol": {
        "phone": "13800138000",
        "name": "Li Lei",
        "language": "zh-hans",
        "consents": {"service": True, "marketing": False},
    }
}


@documented_read(
    "list_members",
    "List members",
    answer=page_shape("Member", MemberShape),
    tag="Members",
    query=MembersQuery,
)
@documented_write(
    "enrol_member",
    "Enrol a member",
    body=EnrolBody,
    answers={201: MemberShape},
    tag="Members",
    examples=_ENROL,
)
class MembersView(ReadEndpoint, WriteEndpoint):
    """Members whose home store is one of the key's, newest first; or one person by `phone`."""

    query = MembersQuery
    body = EnrolBody

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        rows = caller.members()
        if "phone" in query:
            rows = rows.filter(phone=query["phone"])
        page, after = page_of(rows, "members", after=query["after"], limit=query["limit"])
        return {"data": MemberShape(page, many=True).data, "next": after}

    def effect(self, caller: Caller, given: dict[str, Any], checked: Any = None, **path: Any) -> Answer:
        word = given.pop("consents")
        wording = word.get("wording_version") or config.CONSENT_WORDING
        member = enrol_member(
            actor=caller.actor,
            key=caller.key,
            at=caller.at,
            store=caller.store(given.pop("store", None)),
            consents=Consents(word["service"], word["marketing"], wording, ConsentSource.API),
            **given,
        )
        return 201, MemberShape(member).data


@documented_read("show_member", "Show a member", answer=MemberShape, tag="Members", is_one=True)
class MemberView(ReadEndpoint):
    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        return MemberShape(one_or_404(caller.members(), path["public_id"])).data


@documented_read(
    "show_member_balances", "Show what a member holds", answer=MemberBalancesShape, tag="Members", is_one=True
)
class MemberBalancesView(ReadEndpoint):
    """Points, and principal and bonus of each card at the key's stores. Three queries, however many cards."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        member = one_or_404(caller.members(), path["public_id"])
        held: dict[int | None, dict[str, int | None]] = {}
        for card_id, kind, balance in Account.objects.filter(member=member).values_list(
            "card", "kind", "balance"
        ):
            held.setdefault(card_id, {})[kind] = balance
        cards = [
            {
                "id": card.public_id,
                "number": card.number,
                "status": card.status,
                "principal_minor": held.get(card.pk, {}).get(AccountKind.PRINCIPAL, 0),
                "bonus_minor": held.get(card.pk, {}).get(AccountKind.BONUS, 0),
            }
            for card in caller.cards().filter(member=member)
        ]
        points = held.get(None, {}).get(AccountKind.POINTS, 0)
        return MemberBalancesShape({"points": points, "cards": cards}).data


@documented_read(
    "list_member_coupons",
    "List a member’s coupons",
    answer=list_shape("Coupon", CouponShape),
    tag="Members",
    is_one=True,
)
class CouponsView(ReadEndpoint):
    """The member's coupons that may be used now, soonest to end first; a bill takes them by their codes."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        member = one_or_404(caller.members(), path["public_id"])
        found = Coupon.objects.filter_free("", caller.at).filter(member=member).select_related("definition")
        begun = found.filter(Q(active_from=None) | Q(active_from__lte=caller.at))
        soonest = begun.order_by(F("expires_at").asc(nulls_last=True), "id")
        return {"data": CouponShape(soonest[:COUPONS_SHOWN], many=True).data}


@documented_read(
    "list_member_statement",
    "List a member’s entries",
    answer=page_shape("Entry", EntryShape),
    tag="Members",
    is_one=True,
    query=PageQuery,
)
class StatementView(ReadEndpoint):
    """Every line of the member's points and of their cards at the key's stores, newest first."""

    query = PageQuery

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        member = one_or_404(caller.members(), path["public_id"])
        rows = Entry.objects.filter(account__member=member).select_related(
            "operation__store", "account__card"
        )
        rows = rows.exclude(account__card__in=member.cards.exclude(store__in=caller.store_ids))
        page, after = page_of(rows, f"statement.{member.pk}", after=query["after"], limit=query["limit"])
        shape = EntryShape(page, many=True, context={"store_ids": caller.store_ids})
        return {"data": shape.data, "next": after}
