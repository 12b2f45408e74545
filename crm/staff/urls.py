"""The addresses of the staff web's daily work."""

from django.urls import include, path
from django.views.generic import RedirectView

from crm.staff import counter, enrolling, entrance, member_list, member_page, message_pages, till

app_name = "staff"

DEEDS = (
    ("members/<uuid:member>/open-card/", counter.OpenCard, "open_card"),
    ("cards/<uuid:card>/recharge/", counter.RechargeCard, "recharge_card"),
    ("cards/<uuid:card>/spend/", counter.Spend, "spend"),
    ("cards/<uuid:card>/redeem/", counter.RedeemPoints, "redeem_points"),
    ("cards/<uuid:card>/refund/", counter.Refund, "refund"),
    ("enrol/", enrolling.Enrol, "enrol_member"),
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="staff:till"), name="home"),
    path("login/", entrance.Login.as_view(), name="login"),
    path("logout/", entrance.Logout.as_view(), name="logout"),
    path("store/", entrance.choose_store, name="choose_store"),
    path("till/", till.till, name="till"),
    path("till/find/", till.find_member, name="find_member"),
    path("till/members/<uuid:member>/", till.till_member, name="till_member"),
    path("till/operations/<uuid:operation>/", till.till_operation, name="till_operation"),
    path("till/events/<uuid:event>/texts/", till.event_texts, name="event_texts"),
    *(path(f"till/{where}", deed.as_view(), name=name) for where, deed, name in DEEDS),
    *(
        path(f"till/{where}forecast/", deed.as_view(is_forecast=True), name=f"{name}_forecast")
        for where, deed, name in DEEDS
    ),
    path("members/", member_list.member_list, name="member_list"),
    path("members/export/", member_list.export_members, name="export_members"),
    path("members/<uuid:member>/", member_page.statement, name="member_detail"),
    path("members/<uuid:member>/timeline/", member_page.timeline, name="member_timeline"),
    path("members/<uuid:member>/consents/", member_page.consents, name="member_consents"),
    path("members/<uuid:member>/profile/", member_page.profile, name="member_profile"),
    path("members/<uuid:member>/phone/", till.reveal_phone, name="reveal_phone"),
    path("messages/", message_pages.message_list, name="message_list"),
    path("messages/<uuid:message>/", message_pages.message_detail, name="message_detail"),
    path("campaigns/", include("crm.staff.campaigns.urls")),
]
