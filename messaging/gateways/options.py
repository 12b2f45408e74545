"""A gateway's special habits, read from a mapping (kept as JSON with the gateway) into its settings.

Every settings class says which of its fields are such options by their types alone: text, number, yes or no,
or one of some words. What is wrong is said with the option's name, for the person who typed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Settings = TypeVar("Settings")


class BadOption(ValueError):
    """An option that this kind of gateway does not have, or whose value it cannot use."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name, self.problem = name, problem


def read_options(settings: type[Settings], options: Mapping[str, Any], **fixed: Any) -> Settings:
    """The settings with what the gateway's own columns say (`fixed`) and its options on top.

    Raises `BadOption` for an unknown name (the fixed ones too: a host in the options would be a second
    truth), a wrong type, a word that is not offered, or a number below zero.
    """
    types = get_type_hints(settings)
    known = {field.name for field in fields(settings)} - set(fixed)  # type: ignore[arg-type]
    for name, value in options.items():
        if name not in known:
            raise BadOption(name, "no such option")
        _check(name, value, types[name])
    return settings(**fixed, **options)


def _check(name: str, value: Any, wanted: Any) -> None:
    if get_origin(wanted) is Literal:
        if value not in get_args(wanted) or isinstance(value, bool):
            raise BadOption(name, "one of " + ", ".join(map(str, get_args(wanted))))
    elif wanted is float:
        _check_number(name, value, (int, float))
    elif wanted is int:
        _check_number(name, value, (int,))
    elif wanted is bool and not isinstance(value, bool):
        raise BadOption(name, "true or false")
    elif wanted is str and not (isinstance(value, str) and "\0" not in value):
        raise BadOption(name, "a text")
    elif get_origin(wanted) is Mapping:
        _check_words(name, value, get_args(get_args(wanted)[1]))


def _check_number(name: str, value: Any, kinds: tuple[type, ...]) -> None:
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if not (is_number and 0 <= value < 10**9):  # NaN and the infinities fail the comparison too
        raise BadOption(name, "a number")


def _check_words(name: str, value: Any, words: tuple[str, ...]) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise BadOption(name, "a list of names and words")
    if any(word not in words for word in value.values()):
        raise BadOption(name, "words out of " + ", ".join(words))
