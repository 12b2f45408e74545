"""What there is to name in a request: the key's stores, and the products, plans and rewards they offer."""

from __future__ import annotations

from typing import Any

from crm.api.caller import Caller
from crm.api.endpoints import ReadEndpoint
from crm.api.openapi import documented_read, list_shape
from crm.api.shapes import CategoryShape, PlanShape, ProductShape, RewardShape, StoreShape
from members.models import CardProduct, GoodsCategory, RechargePlan, Reward

TAG = "Catalogue"


@documented_read("list_stores", "List stores", answer=list_shape("Store", StoreShape), tag=TAG)
class StoresView(ReadEndpoint):
    """The stores this key is bound to."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        return {"data": StoreShape(caller.stores, many=True).data}


@documented_read("list_products", "List card products", answer=list_shape("Product", ProductShape), tag=TAG)
class ProductsView(ReadEndpoint):
    """The card products that are offered."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        return {"data": ProductShape(CardProduct.objects.filter(is_active=True), many=True).data}


@documented_read(
    "list_categories", "List goods categories", answer=list_shape("Category", CategoryShape), tag=TAG
)
class CategoriesView(ReadEndpoint):
    """What a bill's lines may be of; earning rules and coupons ask for them."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        return {"data": CategoryShape(GoodsCategory.objects.filter(is_active=True), many=True).data}


@documented_read("list_plans", "List recharge plans", answer=list_shape("Plan", PlanShape), tag=TAG)
class PlansView(ReadEndpoint):
    """The plans on sale at the key's stores."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        plans = RechargePlan.objects.filter(caller.offered(), is_active=True).select_related("store")
        return {"data": PlanShape(plans, many=True).data}


@documented_read("list_rewards", "List rewards", answer=list_shape("Reward", RewardShape), tag=TAG)
class RewardsView(ReadEndpoint):
    """The rewards offered at the key's stores."""

    def show(self, caller: Caller, query: dict[str, Any], **path: Any) -> Any:
        rewards = Reward.objects.filter(caller.offered(), is_active=True).select_related("store")
        return {"data": RewardShape(rewards, many=True).data}
