"""Filters of the admin's lists that need a word the model does not give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.admin.filters import AllValuesFieldListFilter, FieldListFilter, RelatedFieldListFilter
from django.db.models import Field
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.admin_columns import event_name
from members.admin_scope import stores_of


class OwnStoresFilter(RelatedFieldListFilter):
    """A filter by store that names only the person's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("store")

    def field_choices(self, field: Field, request: HttpRequest, model_admin: Any) -> Any:
        return [(store.pk, str(store)) for store in stores_of(request, model_admin.readers)]


class NamedValuesFilter(AllValuesFieldListFilter):
    """A filter by the values there are, each by the name a person knows it by."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        every, *values = super().choices(changelist)
        yield every
        for choice in values:
            yield {**choice, "display": self.name_of(choice["display"])}

    def name_of(self, value: Any) -> Any:
        raise NotImplementedError


class EventFilter(NamedValuesFilter):
    def name_of(self, value: Any) -> Any:
        return event_name(value) or "—"


class LanguageFilter(NamedValuesFilter):
    def name_of(self, value: Any) -> Any:
        return dict(settings.LANGUAGES).get(value, value)


def titled(kind: type[FieldListFilter], title: Any) -> type[FieldListFilter]:
    """A kind of filter under a title the model does not give."""

    class Titled(kind):  # type: ignore[valid-type, misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled
