from importlib import import_module
from typing import Any

from constance.apps import ConstanceConfig
from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    name = "crm"
    default = True

    def ready(self) -> None:
        import_module("crm.forgetting").connect()


class BackOfficeConfig(admin_apps.SimpleAdminConfig):
    """Django's admin with the back office as its site.

    Its pages register with the addresses (crm/urls.py), not with the applications: the worker, beat and the
    gateways show none, and start in half the time without them.
    """

    default = False
    default_site = "crm.admin_site.BackOffice"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


class HouseRulesConfig(ConstanceConfig):
    """What an owner may set while the house runs (crm/run_time_settings.py), in the admin's words."""

    default = False
    verbose_name = _("Settings")


def check_pages(app_configs: Any, **options: Any) -> list[checks.CheckMessage]:
    """Django's check of every page of the admin, which sees only those that are registered."""
    import_module(settings.ROOT_URLCONF)
    return check_admin_app(app_configs, **options)
