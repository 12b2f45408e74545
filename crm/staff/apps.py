from importlib import import_module

from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "crm.staff"
    label = "staff"

    def ready(self) -> None:
        import_module("crm.staff.receivers")
