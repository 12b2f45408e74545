from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "crm.api"
    label = "api"
    verbose_name = _("Connections")

    def ready(self) -> None:
        """Let the OpenAPI file know our key: the scheme registers itself by being defined."""
        from crm.api import openapi  # noqa: F401
