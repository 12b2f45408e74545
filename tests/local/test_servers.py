"""Embedded database and broker: started, found again, revived, stopped, never orphaned."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from crm.local.children import is_running, wait_until
from crm.local.places import PROJECT

pytestmark = pytest.mark.torture
HOLD = """
from crm.local.servers import using_servers

with using_servers():
    print("up", flush=True)
    input()
"""


class Machine:
    """A machine with its own data folder and no servers given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("REGULARS_")
        }
        self.environment["REGULARS_DATA_DIR"] = str(folder)

    def run(self, module: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module],
            cwd=PROJECT,
            env=self.environment | more,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def hold_servers(self) -> subprocess.Popen[str]:
        """A program that uses the servers until its input ends."""
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD],
            cwd=PROJECT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        return child

    def state(self) -> dict:
        return json.loads((self.folder / "services.json").read_text())

    def postgres_pid(self) -> int:
        return int((Path(self.state()["data"]) / "postgres" / "postmaster.pid").read_text().splitlines()[0])

    def ask_database(self) -> str:
        with psycopg.connect(self.state()["database_url"], connect_timeout=5) as connection:
            sql = "SELECT concat_ws(' ', current_setting('fsync'), current_setting('synchronous_commit'),"
            row = connection.execute(
                sql + " pg_encoding_to_char(encoding), upper('é')) FROM pg_database"
            ).fetchone()
            assert row
            return str(row[0])

    def database_answers(self) -> bool:
        try:
            return bool(self.ask_database())
        except psycopg.OperationalError:
            return False


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "data")
    yield machine
    home = machine.state()["data"] if (machine.folder / "services.json").exists() else None
    stopped = machine.run("crm.local.stop")
    if home:
        shutil.rmtree(home)
    assert stopped.returncode == 0


def test_services_stay_up_and_are_found_again(machine: Machine) -> None:
    first = machine.run("crm.local.servers")
    again = machine.run("crm.local.servers")

    assert (first.returncode, first.stdout) == (0, again.stdout)
    assert f"REGULARS_DATABASE_URL={machine.state()['database_url']}\n" in first.stdout
    assert machine.ask_database() == "on on UTF8 É"
    with redis.Redis.from_url(machine.state()["broker_url"]) as broker:
        kept = broker.config_get("appendonly") | broker.config_get("maxmemory-policy")
    assert kept == {"appendonly": "yes", "maxmemory-policy": "noeviction"}


def test_only_the_owner_reads_what_holds_a_password(machine: Machine) -> None:
    machine.run("crm.local.servers")

    home = Path(machine.state()["data"])
    private = [
        home,
        home / "postgres",
        home / "valkey",
        home / "postgres.password",
        machine.folder / "services.json",
    ]
    assert [path.stat().st_mode & 0o077 for path in private] == [0] * 5


def test_a_killed_database_comes_back_at_the_same_address(machine: Machine) -> None:
    machine.run("crm.local.servers")
    killed = machine.postgres_pid()

    os.kill(killed, signal.SIGKILL)

    assert wait_until(lambda: machine.database_answers() and machine.postgres_pid() != killed, 30)


def test_a_killed_keeper_leaves_no_server_and_no_trap(machine: Machine) -> None:
    machine.run("crm.local.servers")
    old = machine.state()
    server = machine.postgres_pid()

    os.kill(old["pid"], signal.SIGKILL)

    assert wait_until(lambda: not is_running(server), 30)
    assert machine.run("crm.local.servers").returncode == 0
    assert machine.ask_database() == "on on UTF8 É"
    assert machine.state()["database_url"] == old["database_url"]


def test_servers_leave_with_their_last_user_even_a_killed_one(machine: Machine) -> None:
    first, second = machine.hold_servers(), machine.hold_servers()
    server, home = machine.postgres_pid(), machine.state()["data"]

    first.kill()
    first.wait()
    assert not wait_until(lambda: not is_running(server), 2), "the second still uses them"
    second.kill()
    second.wait()

    assert wait_until(lambda: not is_running(server), 30)
    assert wait_until(lambda: not (machine.folder / "services.json").exists(), 20)
    shutil.rmtree(home)


def test_given_servers_are_used_and_none_started(machine: Machine) -> None:
    given = {
        "REGULARS_DATABASE_URL": "postgresql://elsewhere/regulars",
        "REGULARS_BROKER_URL": "amqp://elsewhere//",
    }

    told = machine.run("crm.local.servers", **given)

    assert told.stdout == "".join(f"{name}={url}\n" for name, url in given.items())
    assert not (machine.folder / "servers").exists()


def test_a_data_folder_that_cannot_be_made_is_said_plainly(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    told = machine.run("crm.local.servers", REGULARS_DATA_DIR=str(tmp_path / "file" / "data"))

    assert told.returncode == 1
    assert "cannot be written" in told.stderr
    assert "Traceback" not in told.stderr
