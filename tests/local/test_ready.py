"""What `make run` prints when everything is up: all that the README's tour asks for."""

import json

from crm.local.ready import Ports, announce
from crm.local.servers import Servers


def test_the_tours_log_in_member_and_key_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REGULARS_DATA_DIR", str(tmp_path))
    demo = {
        "logins": [{"user": "owner", "password": "heron-north", "role": "owner: all stores"}],
        "members": ["+8619900100003", "+8619900100006"],
        "api_key": "prefix.secret",
    }
    (tmp_path / "demo.json").write_text(json.dumps(demo))

    announce(Servers({}), Ports(8000, 8010, 2775, 7890), 50.2)

    said = capsys.readouterr().out
    for word in ("READY in 50.2 s", "owner", "heron-north", "+8619900100003", "prefix.secret", "make stop"):
        assert word in said
