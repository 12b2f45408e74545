"""Rule packs: what countries and providers ask of a text, as dated data in TOML beside this file.

Read once. Every rule names its source and the day it was checked; `is_recalled` marks what nobody could read up.
A leaf: pure data, no database. How the packs meet a text: messaging/pack_check.py; a window in SQL: domain/rules.py.
"""

from messaging.rules.packs import (
    Ban,
    CountryPack,
    OptOut,
    Origin,
    Placeholders,
    ProviderPack,
    RequiredPhrase,
    Window,
    countries,
    country,
    country_of_code,
    in_words,
    provider,
    providers,
)

__all__ = [
    "Ban",
    "CountryPack",
    "OptOut",
    "Origin",
    "Placeholders",
    "ProviderPack",
    "RequiredPhrase",
    "Window",
    "countries",
    "country",
    "country_of_code",
    "in_words",
    "provider",
    "providers",
]
