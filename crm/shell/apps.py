from django.apps import AppConfig


class ShellConfig(AppConfig):
    name = "crm.shell"
    label = "shell"
