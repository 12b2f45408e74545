"""Every address of Regulars."""

from collections.abc import Iterable
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from crm import views
from crm.shell.style_guide import StyleGuide
from crm.staff.entrance import set_language


def with_admin_policy(patterns: Iterable[URLPattern | URLResolver]) -> None:
    """Give the themed admin's views, and only them, the content policy its scripts need."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            with_admin_policy(pattern.url_patterns)
        else:
            pattern.callback = csp_update(settings.ADMIN_CSP)(pattern.callback)


admin.autodiscover()
admin_urls: Any = admin.site.urls
with_admin_policy(admin_urls[0])

urlpatterns = [
    path("admin/", admin_urls),
    path("api/", include("crm.api.urls")),
    path("health/", views.health, name="health"),
    path("hooks/", include("crm.api.hooks.urls")),
    path("health/all/", views.health_all, name="health_all"),
    path("metrics/", views.metrics, name="metrics"),
    path("i18n/setlang/", set_language, name="set_language"),
    path("portal/", include("crm.portal.urls")),
    path("", include("crm.staff.urls")),
]
if settings.DEBUG:
    urlpatterns.append(path("style/", StyleGuide.as_view(), name="style_guide"))
