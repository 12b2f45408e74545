"""Which of the provider's templates a claimed text goes by, at gateways that send by template alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from messaging.domain.dispatch.database import Connection
from messaging.domain.rules import pack_for
from messaging.enums import MessageClass
from messaging.filling import Filled, filled_in
from messaging.gateways.base import ProviderText
from messaging.sql import statement
from messaging.system_texts import SYSTEM_TEXTS, in_language

_PROVIDER_TEXTS = statement("provider_texts")


class Mirrored(NamedTuple):
    """One approved template of the provider's and the wording of ours it stands for."""

    code: str
    parameters: Mapping[str, str]
    wording: str
    language: str
    is_marketing: bool


async def mirrored(connection: Connection, gateway: int, ids: Iterable[int]) -> list[Mirrored]:
    """The provider's templates that these messages may go by."""
    cursor = await connection.execute(_PROVIDER_TEXTS, {"gateway": gateway, "ids": list(ids)})
    return [_mirrored(*row) for row in await cursor.fetchall()]


def provider_text(text: str, phone: str, templates: Iterable[Mirrored]) -> ProviderText | None:
    """The template that says exactly this text, signed and ended as the recipient's country has it, with its values;
    None when the provider has none.
    """
    pack = pack_for(phone)
    for template in templates:
        ending = pack.opt_out_text(template.language) if template.is_marketing else ""
        filled = filled_in(text, template.wording, opt_out_text=ending, form=pack.signature.form)
        if filled is not None:
            return ProviderText(template.code, _named(filled, template.parameters), filled.signature)
    return None


def _named(filled: Filled, parameters: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The values under the provider's names; where these are places, in their order."""
    named = [(str(parameters.get(name, name)), value) for name, value in filled.values.items()]
    if all(name.isdecimal() for name, _value in named):
        named.sort(key=lambda pair: int(pair[0]))
    return tuple(named)


def _mirrored(
    version: int,
    system_text: str,
    template_language: str,
    code: str,
    parameters: Any,
    text: str,
    language: str,
    message_class: str,
) -> Mirrored:
    if not version:
        _class, texts = SYSTEM_TEXTS.get(system_text, (MessageClass.NOTIFICATION, {"en": ""}))
        text = in_language(texts, template_language)
    names = parameters if isinstance(parameters, dict) else {}
    return Mirrored(code, names, text, language, message_class == MessageClass.MARKETING)
