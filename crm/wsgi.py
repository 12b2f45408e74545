"""The WSGI entry point. Every page is loaded before the first request, once for all workers of a preloading server."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
application = get_wsgi_application()
import_module(settings.ROOT_URLCONF)
