"""PostgreSQL is killed three times under a load of money: what was acknowledged is there, each intent once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crm.local.account import choose_account
from crm.local.children import is_running, wait_until
from crm.local.places import PROJECT
from crm.local.postgres import Postgres
from crm.local.programs import postgres_bin
from members.domain.cards import open_card
from members.models import CardProduct
from tests.conftest import NOON
from tests.journeys.dispatch_stage import database_url
from tests.journeys.house import Shop, children_of

pytestmark = pytest.mark.torture
KILLS, CLIENTS = 3, 4


class OwnDatabase:
    """A PostgreSQL of the test's own, which may be killed: nobody else's data is in it."""

    def __init__(self, log: Path) -> None:
        self.account, self.log = choose_account(), log
        self.server = Postgres(self.account, log)
        self.server.start()

    def copy_from(self, url: str) -> None:
        """Everything of the test database, tables, guards and rows."""
        programs = postgres_bin(self.account)
        dump = subprocess.run(
            [programs / "pg_dump", "--no-owner", url], capture_output=True, check=True
        ).stdout
        loading = [programs / "psql", "--quiet", "-v", "ON_ERROR_STOP=1", self.server.url]
        subprocess.run(loading, input=dump, capture_output=True, check=True)

    def kill(self) -> None:
        """The postmaster and all its children, as a power cut takes them; nothing is written any more."""
        assert self.server.child is not None
        pids = [self.server.child.pid, *children_of(self.server.child.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.server.child.wait(10)
        assert wait_until(lambda: not any(is_running(pid) for pid in pids), 10)

    def start_again(self) -> None:
        self.server = Postgres(self.account, self.log, self.server.port)
        self.server.start()

    def count(self, sql: str) -> int:
        with psycopg.connect(self.server.url) as link:
            return link.execute(sql).fetchone()[0]  # type: ignore[index]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnDatabase]:
    folder = Path(tempfile.mkdtemp(prefix="regulars-test-", dir="/var/tmp"))
    folder.chmod(0o711)
    monkeypatch.setenv("REGULARS_DATA_DIR", str(folder))
    own = OwnDatabase(tmp_path / "postgres.log")
    yield own
    own.server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def cards(shop: Shop) -> list[int]:
    """A hot card that two clients share, and one for each of the others."""
    product = CardProduct.objects.get(name="Salon card")
    opened = []
    for number in range(CLIENTS - 1):
        member = shop.enrol(f"1380013800{number}")
        deed = {"actor": shop.at_till, "at": NOON, "store": shop.riverside}
        opened.append(open_card(key=f"open-{number}", member=member, product=product, **deed)[0].pk)
    return [opened[0], *opened]


def client(own: OwnDatabase, name: str, card: int, out: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "REGULARS_DATABASE_URL": own.server.url,
        "DJANGO_SETTINGS_MODULE": "crm.settings",
    }
    environment["REGULARS_DATA_DIR"] = str(PROJECT / ".data")
    words = [sys.executable, "-m", "tests.journeys.money_client", name, str(card)]
    with out.open("wb") as said, out.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(words, cwd=PROJECT, env=environment, stdout=said, stderr=log)


def acknowledged(outs: list[Path]) -> list[dict[str, Any]]:
    whole = [out.read_text().rpartition("\n")[0] for out in outs]  # the last may be half written
    lines = [line for said in whole for line in said.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def test_three_kills_lose_nothing_that_was_acknowledged(own: OwnDatabase, cards: list[int], tmp_path: Path):
    own.copy_from(database_url())
    outs = [tmp_path / f"client-{number}.jsonl" for number in range(CLIENTS)]
    clients = [
        client(own, f"till-{n}", card, out) for n, (card, out) in enumerate(zip(cards, outs, strict=True))
    ]
    try:
        for kill in range(1, KILLS + 1):
            enough = kill * 60
            assert wait_until(lambda enough=enough: len(acknowledged(outs)) >= enough, 25), "money is moving"
            own.kill()
            own.start_again()
        before = len(acknowledged(outs))
        assert wait_until(lambda: len(acknowledged(outs)) >= before + 40, 25), (
            "all of them go on by themselves"
        )
        for each in clients:
            each.terminate()
        assert [each.wait(20) for each in clients] == [0] * CLIENTS
    finally:
        for each in clients:
            each.kill()
            each.wait()

    judge(own, acknowledged(outs))


def judge(own: OwnDatabase, deeds: list[dict[str, Any]]) -> None:
    """Every acknowledged deed is there with its amount, once; no deed is there that nobody acknowledged."""
    with psycopg.connect(own.server.url) as link:
        rows = link.execute(
            "SELECT key, kind, amount_minor, public_id::text FROM members_operation WHERE scope LIKE 'till-%'"
        ).fetchall()
    told = sorted((deed["key"], deed["kind"], deed["amount"], deed["operation"]) for deed in deeds)
    print(f"{len(told)} deeds, {sum(deed['replayed'] for deed in deeds)} of them answered by a replay")
    assert sorted(rows) == told
    assert own.count("SELECT count(*) FROM members_membershipevent WHERE source LIKE 'till-%'") == len(told)
    texts = own.count("SELECT count(*) FROM messaging_message WHERE cause = 'rule'")
    assert texts == own.count("SELECT count(*) FROM campaigns_rulefiring WHERE outcome = 'sent'") > len(told)
    checked = subprocess.run(
        [sys.executable, "manage.py", "verify_ledger"],
        cwd=PROJECT,
        env=os.environ
        | {"REGULARS_DATABASE_URL": own.server.url, "REGULARS_DATA_DIR": str(PROJECT / ".data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, json.loads(checked.stdout)["ok"]) == (0, True), checked.stderr
