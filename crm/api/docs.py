"""The API's own documentation: the OpenAPI file and a page that works offline and under the strict CSP."""

from __future__ import annotations

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class SchemaView(SpectacularAPIView):
    authentication_classes = []


class DocsView(SpectacularSwaggerSplitView):
    authentication_classes = []
    template_name = "api/docs.html"
    url_name = "api:schema"
