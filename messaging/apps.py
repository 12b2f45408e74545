from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from messaging import receivers
        from messaging.domain import questions, self_help

        receivers.connect()
        self_help.register()
        questions.register()
