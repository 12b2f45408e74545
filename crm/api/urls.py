"""REST v1, its documentation, and a problem for every other address under /api/."""

from django.urls import path, re_path

from crm.api import bills, cards, catalogue, events, holds, members, messages, operations, services
from crm.api.docs import DocsView, SchemaView
from crm.api.endpoints import Missing

app_name = "api"
urlpatterns = [
    path("v1/events", events.EventsView.as_view(), name="events"),
    path("v1/members", members.MembersView.as_view(), name="members"),
    path("v1/members/<uuid:public_id>", members.MemberView.as_view(), name="member"),
    path(
        "v1/members/<uuid:public_id>/balances", members.MemberBalancesView.as_view(), name="member_balances"
    ),
    path("v1/members/<uuid:public_id>/statement", members.StatementView.as_view(), name="member_statement"),
    path("v1/members/<uuid:public_id>/coupons", members.CouponsView.as_view(), name="member_coupons"),
    path("v1/cards", cards.CardsView.as_view(), name="cards"),
    path("v1/cards/<uuid:public_id>", cards.CardView.as_view(), name="card"),
    path("v1/cards/<uuid:public_id>/recharge", cards.RechargeView.as_view(), name="recharge"),
    path("v1/cards/<uuid:public_id>/spend", bills.SpendView.as_view(), name="spend"),
    path("v1/cards/<uuid:public_id>/code", bills.SendCodeView.as_view(), name="send_code"),
    path("v1/cards/<uuid:public_id>/holds", holds.HoldsView.as_view(), name="holds"),
    path("v1/cards/<uuid:public_id>/services/take", services.TakeServiceView.as_view(), name="take_service"),
    path("v1/cards/<uuid:public_id>/redeem", cards.RedeemView.as_view(), name="redeem"),
    path("v1/holds/<uuid:public_id>", holds.HoldView.as_view(), name="hold"),
    path("v1/holds/<uuid:public_id>/capture", bills.CaptureView.as_view(), name="capture"),
    path("v1/holds/<uuid:public_id>/release", holds.ReleaseView.as_view(), name="release"),
    path(
        "v1/operations/<uuid:public_id>/services/return",
        services.ReturnServiceView.as_view(),
        name="return_service",
    ),
    path("v1/operations/<uuid:public_id>/refund", operations.RefundView.as_view(), name="refund"),
    path("v1/messages/<uuid:public_id>", messages.MessageView.as_view(), name="message"),
    path("v1/stores", catalogue.StoresView.as_view(), name="stores"),
    path("v1/products", catalogue.ProductsView.as_view(), name="products"),
    path("v1/categories", catalogue.CategoriesView.as_view(), name="categories"),
    path("v1/plans", catalogue.PlansView.as_view(), name="plans"),
    path("v1/rewards", catalogue.RewardsView.as_view(), name="rewards"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("schema/", SchemaView.as_view(), name="schema"),
    re_path("", Missing.as_view()),
]
