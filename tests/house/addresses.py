"""Every address of the URLconf, from the resolver, with each way to fill its parameters from a set of ids.

An address with a parameter that nobody here knows how to fill fails the test that asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

from members.models import Member, Staff

Ids = dict[str, list[str]]  # by the name of the parameter


@dataclass(frozen=True)
class Address:
    """A path with its parameters filled."""

    name: str
    path: str

    @property
    def is_last(self) -> bool:
        """Going out comes last: nobody would be there for the rest."""
        return "logout" in self.path


def every_address(ids: Ids) -> list[Address]:
    """Each pattern of the URLconf with each way to fill it, from the resolver."""
    found = [
        Address(name, "/" + path)
        for name, template, names in patterns(get_resolver().url_patterns)
        for path in filled(name, template, names, ids)
    ]
    return sorted(dict.fromkeys(found), key=lambda address: address.is_last)


def patterns(
    among: list[Any], before: str = "", names: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(name, path with %(parameter)s, parameters) of every pattern below."""
    for each in among:
        template, own = readable(each)
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, before + template, names + own)
        else:
            assert isinstance(each, URLPattern)
            yield each.name or "", before + template, names + own


def readable(pattern: Any) -> tuple[str, tuple[str, ...]]:
    if isinstance(pattern.pattern, RoutePattern):
        route = str(pattern.pattern)
        own = tuple(re.findall(r"<(?:[^>:]+:)?(\w+)>", route))
        return re.sub(r"<(?:[^>:]+:)?(\w+)>", r"%(\1)s", route), own
    template, own = normalize(str(pattern.pattern))[0]
    return template, tuple(own)


def filled(name: str, template: str, names: tuple[str, ...], ids: Ids) -> Iterator[str]:
    """The path once for each of Riverside's things that its parameters may name."""
    chosen = [{}]
    for parameter in names:
        values = values_for(parameter, name, ids)
        if values is None:
            pytest.fail(
                f"the address {template} ({name}) has a parameter {parameter!r} that this test cannot fill"
            )
        chosen = [earlier | {parameter: value} for earlier in chosen for value in values]
    return (template % each for each in chosen)


def values_for(parameter: str, name: str, ids: Ids) -> list[str] | None:
    if parameter in ids:
        return ids[parameter]
    known: dict[str, Callable[[], list[str]]] = {
        "public_id": lambda: [value for name in ("member", "card", "sale", "message") for value in ids[name]],
        "object_id": lambda: rows_of(name),
        "id": lambda: [str(pk) for pk in Staff.objects.values_list("pk", flat=True)],  # of the password page
        "app_label": lambda: sorted({model._meta.app_label for model in admin.site._registry}),
        "content_type_id": lambda: [str(ContentType.objects.get_for_model(Member).pk)],
        "token": lambda: ["nobody-is-called-so"],
        "url": lambda: ["nothing/here/"],
    }
    return known[parameter]() if parameter in known else None


def rows_of(name: str) -> list[str]:
    """The oldest and newest rows of an admin address's model; `members_card_change` is about cards."""
    for model in admin.site._registry:
        if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            return _some_of(model)
    return [str(Member.objects.earliest("id").pk)]


def _some_of(model: Any) -> list[str]:
    if not hasattr(model, "_default_manager"):
        return ["1"]  # the run-time settings have an address, but no table
    keys = [str(pk) for pk in model._default_manager.order_by("pk").values_list("pk", flat=True)]
    return list(dict.fromkeys(keys[:3] + keys[-3:]))
