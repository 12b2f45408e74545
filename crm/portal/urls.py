"""The portal's addresses, under /portal/."""

from django.urls import path

from crm.portal import entrance, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("login/", entrance.login, name="login"),
    path("login/code/", entrance.enter_code, name="code"),
    path("login/again/", entrance.repeat_code, name="repeat_code"),
    path("logout/", entrance.logout, name="logout"),
    path("language/", entrance.choose_language, name="language"),
    path("statement/", views.statement_list, name="statement"),
    path("statement/<uuid:public_id>/", views.statement_line, name="statement_line"),
    path("messages/", views.message_list, name="messages"),
    path("preferences/", views.preferences, name="preferences"),
    path("preferences/texts/", views.choose_texts, name="choose_texts"),
]
