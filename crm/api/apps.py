from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "crm.api"
    label = "api"

    def ready(self) -> None:
        """Let the OpenAPI file know our key: the scheme registers itself by being defined."""
        from crm.api import openapi  # noqa: F401
