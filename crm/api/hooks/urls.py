"""Below /hooks/. The token is a gateway's own secret; what it stands for is not told to anybody else."""

from django.urls import path

from crm.api.hooks import views

app_name = "hooks"
urlpatterns = [
    path("gateways/<str:token>/receipts", views.gateway_call, {"what": "receipts"}, name="receipts"),
    path("gateways/<str:token>/status", views.gateway_call, {"what": "receipts"}, name="status"),
    path("gateways/<str:token>/inbound", views.gateway_call, {"what": "inbound"}, name="inbound"),
]
