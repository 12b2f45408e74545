from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from messaging import receivers
        from messaging.domain import questions, self_help

        receivers.connect()
        post_migrate.connect(_store_windows, sender=self)
        self_help.register()
        questions.register()


def _store_windows(using: str = "default", **_: Any) -> None:
    """The rule packs' windows stand in the database after each migrate."""
    from messaging.domain import rules

    if using == "default":
        rules.store_windows()
