"""The page that lists the options of SMPP and CMPP, compared with the settings themselves."""

import json
import re
from dataclasses import MISSING, fields

import pytest

from crm.local.places import PROJECT
from messaging.gateways.cmpp.settings import CmppSettings
from messaging.gateways.smpp.settings import SmppSettings

PAGE = (PROJECT / "docs" / "gateways-smpp-cmpp.md").read_text()
COLUMNS = {  # of the gateway itself, not options
    SmppSettings: {"host", "port", "system_id", "password", "window", "submit_timeout_seconds"},
    CmppSettings: {"host", "port", "sp_id", "secret", "access_number", "window", "submit_timeout_seconds"},
}


def written(value):
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(
    ("settings", "heading"), [(SmppSettings, "## SMPP 3.4"), (CmppSettings, "## CMPP 2.0")]
)
def test_each_option_stands_on_the_page_with_its_default(settings, heading):
    section = PAGE.split(heading)[1].split("\n## ")[0].split("| option | default | means |")[1]
    rows = dict(re.findall(r"^\| `(\w+)` \|\s*`?([^`|]*?)`?\s*\|", section, re.MULTILINE))
    expected = {
        field.name: written(field.default if field.default is not MISSING else field.default_factory())
        for field in fields(settings)
        if field.name not in COLUMNS[settings]
    }

    assert {name: default.strip() for name, default in rows.items()} == expected
