from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class CrmConfig(AppConfig):
    name = "crm"
    default = True


class BackOfficeConfig(admin_apps.AdminConfig):
    """Django's admin with the back office as its site."""

    default = False
    default_site = "crm.admin_site.BackOffice"
