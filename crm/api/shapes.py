"""What resources look like in answers. Money in minor units, times in UTC, ids public."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.enums import Firing
from members.domain.coupon_words import headline
from members.enums import AccountKind, CardStatus, Gender, HoldStatus, OperationKind
from members.models import (
    BillLine,
    BillLineKind,
    Card,
    CardProduct,
    Coupon,
    GoodsCategory,
    Hold,
    Member,
    MembershipEvent,
    Operation,
    RechargePlan,
    Reward,
    Sharer,
    Store,
)
from members.phones import mask
from messaging.enums import MessageClass
from messaging.models import Message
from messaging.states import FINAL, Reason, State


class StoreShape(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id")

    class Meta:
        model = Store
        fields = ("id", "name", "address", "phone", "timezone", "language", "is_active")


class ConsentsShape(serializers.Serializer):
    service = serializers.BooleanField(source="has_service_consent")
    marketing = serializers.BooleanField(source="has_marketing_consent")


class MemberShape(serializers.ModelSerializer):
    """A member, phone in full: only keys of the home store see it."""

    id = serializers.UUIDField(source="public_id")
    store = serializers.UUIDField(source="home_store.public_id")
    gender = serializers.ChoiceField(choices=Gender.choices)
    consents = ConsentsShape(source="*")

    class Meta:
        model = Member
        fields = (
            "id",
            "member_no",
            "phone",
            "name",
            "language",
            "birthday",
            "gender",
            "store",
            "tags",
            "consents",
            "enrolled_at",
        )


class CardShape(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id")
    member = serializers.UUIDField(source="member.public_id")
    store = serializers.UUIDField(source="store.public_id")
    product = serializers.IntegerField(source="product_id")
    status = serializers.ChoiceField(choices=CardStatus.choices)

    class Meta:
        model = Card
        fields = ("id", "number", "member", "store", "product", "status", "opened_at")


class BalancesShape(serializers.Serializer):
    """What a card holds, and its member's points. `services` are those left on a count card."""

    principal_minor = serializers.IntegerField()
    bonus_minor = serializers.IntegerField()
    points = serializers.IntegerField()
    services = serializers.IntegerField()


class CardWithBalancesShape(CardShape):
    balances = BalancesShape()

    class Meta(CardShape.Meta):
        fields = (*CardShape.Meta.fields, "balances")  # type: ignore[assignment]


class SharerShape(serializers.ModelSerializer):
    class Meta:
        model = Sharer
        fields = ("id", "name")


class ShownCardShape(CardWithBalancesShape):
    """A card with its balances, and who else may take its services."""

    sharers = SharerShape(many=True)

    class Meta(CardWithBalancesShape.Meta):
        fields = (*CardWithBalancesShape.Meta.fields, "sharers")  # type: ignore[assignment]


class CardBalanceShape(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.CharField()
    status = serializers.ChoiceField(choices=CardStatus.choices)
    principal_minor = serializers.IntegerField()
    bonus_minor = serializers.IntegerField()


class MemberBalancesShape(serializers.Serializer):
    """A member's points and each card at the key's stores."""

    points = serializers.IntegerField()
    cards = CardBalanceShape(many=True)


class EntryShape(serializers.Serializer):
    """A line of a member's account. `card` is null for points; `store` is null if it is not the key's."""

    operation = serializers.UUIDField(source="operation.public_id")
    kind = serializers.ChoiceField(choices=OperationKind.choices, source="operation_kind")
    account = serializers.ChoiceField(choices=AccountKind.choices, source="account_kind")
    card = serializers.UUIDField(source="account.card.public_id", allow_null=True, default=None)
    store = serializers.SerializerMethodField()
    seq = serializers.IntegerField()
    amount = serializers.IntegerField()
    balance_after = serializers.IntegerField()
    at = serializers.DateTimeField(source="operation.at")

    def get_store(self, entry: Any) -> str | None:
        store = entry.operation.store
        return str(store.public_id) if store.pk in self.context["store_ids"] else None


class MessageStandShape(serializers.Serializer):
    """Where a text stands."""

    id = serializers.UUIDField(source="public_id")
    state = serializers.ChoiceField(choices=State.choices)
    reason = serializers.ChoiceField(choices=Reason.choices, allow_blank=True)


class FiringShape(serializers.Serializer):
    """What one trigger rule did: the text it queued, or the reason there is none."""

    rule = serializers.CharField(source="rule.name")
    outcome = serializers.ChoiceField(choices=Firing.choices)
    reason = serializers.ChoiceField(choices=Reason.choices, allow_blank=True)


class AnsweredFiringShape(FiringShape):
    message = MessageStandShape(allow_null=True)


class EventShape(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id")
    member = serializers.UUIDField(source="member.public_id")
    store = serializers.UUIDField(source="store.public_id")
    data = serializers.DictField(source="payload")  # type: ignore[assignment]

    class Meta:
        model = MembershipEvent
        fields = ("id", "type", "member", "store", "at", "data")


class AnsweredEventShape(EventShape):
    """An event and what each rule did about it."""

    firings = AnsweredFiringShape(many=True)

    class Meta(EventShape.Meta):
        fields = (*EventShape.Meta.fields, "firings")  # type: ignore[assignment]


class OperationShape(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=OperationKind.choices)
    card = serializers.UUIDField(source="card.public_id", allow_null=True, default=None)
    member = serializers.UUIDField(source="member.public_id")
    store = serializers.UUIDField(source="store.public_id")
    reverses = serializers.UUIDField(source="reverses.public_id", allow_null=True, default=None)

    class Meta:
        model = Operation
        fields = ("id", "kind", "card", "member", "store", "reverses", "amount_minor", "note", "at")


class DeedShape(serializers.Serializer):
    """A deed at the ledger, the balances after it, and the texts it caused."""

    operation = OperationShape()
    balances = BalancesShape()
    firings = AnsweredFiringShape(many=True)


class BillLineShape(serializers.ModelSerializer):
    """A line of a bill; what a tier, a coupon or points took off is negative."""

    kind = serializers.ChoiceField(choices=BillLineKind.choices)
    category = serializers.IntegerField(source="category_id", allow_null=True)

    class Meta:
        model = BillLine
        fields = ("kind", "label", "category", "amount_minor", "is_discounted")


class BillShape(serializers.Serializer):
    """What was to be paid, and how it came to that. A bill that was not told in lines has none."""

    net_minor = serializers.IntegerField(source="amount_minor")
    lines = serializers.SerializerMethodField()

    @extend_schema_field(BillLineShape(many=True))
    def get_lines(self, operation: Operation) -> Any:
        return BillLineShape(operation.bill_lines.order_by("position"), many=True).data


class BilledShape(DeedShape):
    """A bill paid."""

    bill = BillShape()


class HoldShape(serializers.ModelSerializer):
    """Value set aside, and how it ended."""

    id = serializers.UUIDField(source="public_id")
    card = serializers.UUIDField(source="card.public_id")
    store = serializers.UUIDField(source="store.public_id")
    status = serializers.ChoiceField(choices=HoldStatus.choices)

    class Meta:
        model = Hold
        fields = ("id", "card", "store", "amount_minor", "reason", "status", "expires_at", "ended_at")


class HeldShape(DeedShape):
    """A hold made or ended."""

    hold = HoldShape()


class CodeSentShape(serializers.Serializer):
    """Where the code went, masked, and how long it is good."""

    phone = serializers.CharField()
    valid_minutes = serializers.IntegerField()


class CouponShape(serializers.ModelSerializer):
    """A coupon that may be used, with its terms in words."""

    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField(source="__str__")
    name = serializers.CharField(source="definition.name")
    gives = serializers.SerializerMethodField()

    class Meta:
        model = Coupon
        fields = ("id", "code", "name", "gives", "active_from", "expires_at")

    def get_gives(self, coupon: Coupon) -> str:
        return str(headline(coupon.definition))


class OpenedCardShape(serializers.Serializer):
    card = CardWithBalancesShape()
    firings = AnsweredFiringShape(many=True)


class MessageShape(serializers.ModelSerializer):
    """A text and where it stands; the phone is masked and the text itself is not shown."""

    id = serializers.UUIDField(source="public_id")
    phone = serializers.SerializerMethodField()
    event = serializers.UUIDField(source="event.public_id", allow_null=True, default=None)
    message_class = serializers.ChoiceField(choices=MessageClass.choices)
    state = serializers.ChoiceField(choices=State.choices)
    reason = serializers.ChoiceField(choices=Reason.choices, allow_blank=True)
    is_final = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = (
            "id",
            "phone",
            "message_class",
            "state",
            "reason",
            "is_final",
            "parts",
            "encoding",
            "event",
            "created_at",
            "due_at",
            "expires_at",
            "submitted_at",
            "final_at",
        )

    def get_phone(self, message: Message) -> str:
        return mask(message.phone)

    def get_is_final(self, message: Message) -> bool:
        return message.state in FINAL


class OfferShape(serializers.ModelSerializer):
    """The base of plans and rewards: `store` is null when every store offers it."""

    store = serializers.UUIDField(source="store.public_id", allow_null=True, default=None)


class PlanShape(OfferShape):
    class Meta:
        model = RechargePlan
        fields = ("id", "name", "store", "pay_minor", "bonus_minor", "bonus_valid_days", "points")


class RewardShape(OfferShape):
    class Meta:
        model = Reward
        fields = ("id", "name", "store", "points")


class CategoryShape(serializers.ModelSerializer):
    class Meta:
        model = GoodsCategory
        fields = ("id", "name")


class ProductShape(serializers.ModelSerializer):
    class Meta:
        model = CardProduct
        fields = ("id", "name", "points_per_unit", "points_valid_days")


def balances_of(held: Mapping[str, int]) -> dict[str, int]:
    """Balances by account kind as the API names them."""
    return {
        "principal_minor": held.get(AccountKind.PRINCIPAL, 0),
        "bonus_minor": held.get(AccountKind.BONUS, 0),
        "points": held.get(AccountKind.POINTS, 0),
        "services": held.get(AccountKind.SERVICES, 0),
    }
