"""The portal's addresses, under /portal/."""

from django.urls import path

from crm.portal import coupons, entrance, giving, person, transfers, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("login/", entrance.login, name="login"),
    path("login/code/", entrance.enter_code, name="code"),
    path("login/again/", entrance.repeat_code, name="repeat_code"),
    path("logout/", entrance.logout, name="logout"),
    path("language/", entrance.choose_language, name="language"),
    path("statement/", views.statement_list, name="statement"),
    path("statement/print/", views.statement_print, name="statement_print"),
    path("statement/statement.csv", views.statement_file, name="statement_file"),
    path("statement/<uuid:public_id>/", views.statement_line, name="statement_line"),
    path("coupons/", coupons.coupon_list, name="coupons"),
    path("transfers/new/", giving.pass_on, name="pass_on"),
    path("transfers/<uuid:public_id>/", transfers.transfer_answer, name="transfer"),
    path("messages/", views.message_list, name="messages"),
    path("preferences/", views.preferences, name="preferences"),
    path("preferences/texts/", views.choose_texts, name="choose_texts"),
    path("phone/", person.change_phone, name="change_phone"),
    path("phone/code/", person.send_phone_code, name="send_phone_code"),
    path("phone/stop/", person.stop_phone_change, name="stop_phone_change"),
    path("erasure/", person.ask_erasure, name="ask_erasure"),
]
