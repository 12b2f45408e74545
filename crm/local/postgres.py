"""The embedded PostgreSQL 18: made with `initdb`, started as a direct child, stopped cleanly.

Durable as in production: fsync and synchronous_commit stay on. Data lives in `<home>/postgres` (0700); it
listens on 127.0.0.1 and on a unix socket, and asks for a password.
"""

import os
import secrets
import signal
import subprocess
from pathlib import Path

import psycopg

from crm.local.account import Account
from crm.local.children import claim, free_port, spawn, stop_child, tail, wait_until
from crm.local.places import StartFailed, write_private
from crm.local.programs import postgres_bin

ROLE = DATABASE = "regulars"
MAJOR = "18"
START_SECONDS = 60
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}
SOCKET_PATH_MAX = 90


class Postgres:
    """One server on one data folder. `start()` returns when it answers; ports stay the same over restarts."""

    def __init__(self, account: Account, log: Path, port: int = 0) -> None:
        self.account, self.log = account, log
        self.port = free_port(port)
        self.data = account.home / "postgres"
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}:{self._password()}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> None:
        """Initialise the folder the first time, start the server, make the database. Raises StartFailed."""
        self._initialise()
        self._listen(self._claim())
        self._make_database()

    def stop(self) -> None:
        """A fast, clean stop: sessions are closed, a checkpoint is written."""
        if self.child is not None:
            stop_child(self.child, first=signal.SIGINT, wait_seconds=60)

    def _password_file(self) -> Path:
        return self.account.home / "postgres.password"

    def _password(self) -> str:
        return self._password_file().read_text().strip()

    def _initialise(self) -> None:
        kept = self.data / "PG_VERSION"
        if kept.exists():
            if kept.read_text().strip() != MAJOR:
                raise StartFailed(
                    f"{self.data} was made by PostgreSQL {kept.read_text().strip()}, this is {MAJOR}: "
                    "restore a dump into another REGULARS_DATA_DIR."
                )
            return
        write_private(self._password_file(), secrets.token_urlsafe(24))
        self.account.own(self._password_file())
        done = subprocess.run(
            self._initdb(),
            check=False,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            **self.account.popen(),
        )
        if done.returncode:
            raise StartFailed(
                f"PostgreSQL could not be initialised in {self.data}:\n{done.stderr or done.stdout}"
            )

    def _initdb(self) -> list[str]:
        return [
            str(postgres_bin(self.account) / "initdb"),
            f"--pgdata={self.data}",
            f"--username={ROLE}",
            f"--pwfile={self._password_file()}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]

    def _claim(self) -> int:
        """The lock of this folder, inherited by the server and its backends: whoever has it knows they are
        all gone.

        A server left by a crash is stopped first; then its pid file is stale by definition and goes.
        """
        pid_file = self.data / "postmaster.pid"
        lock = claim(self.account.home / "postgres.lock", 3)
        if lock is None and pid_file.exists():
            os.kill(int(pid_file.read_text().split("\n", 1)[0]), signal.SIGINT)
            lock = claim(self.account.home / "postgres.lock", 30)
        if lock is None:
            raise StartFailed(f"Another PostgreSQL still holds {self.data} and does not stop.")
        pid_file.unlink(missing_ok=True)
        return lock

    def _listen(self, lock: int) -> None:
        argv: list[str | Path] = [postgres_bin(self.account) / "postgres", "-D", self.data]
        for name, value in self._settings().items():
            argv += ["-c", f"{name}={value}"]
        try:
            self.child = spawn(
                argv,
                self.log,
                death_signal=signal.SIGINT,
                env=ENVIRONMENT,
                pass_fds=[lock],
                **self.account.popen(),
            )
        except OSError as error:
            raise StartFailed(
                f"PostgreSQL could not be started as user {self.account.uid}: {error}"
            ) from error
        finally:
            os.close(lock)
        child = self.child
        wait_until(lambda: child.poll() is not None or self._answers(), START_SECONDS)
        if child.poll() is not None or not self._answers():
            stop_child(child, first=signal.SIGINT)
            raise StartFailed(f"PostgreSQL did not start; the end of {self.log}:\n{tail(self.log)}")

    def _settings(self) -> dict[str, str]:
        sockets = str(self.account.private_folder("run"))
        return {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": sockets if len(sockets) < SOCKET_PATH_MAX else "",
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": "200",
            "shared_buffers": f"{_shared_buffers_mb()}MB",
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "random_page_cost": "1.1",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_duration_statement": "2s",
            "log_parameter_max_length": "0",
        }

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ROLE,
            password=self._password(),
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _answers(self) -> bool:
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists() or not pid_file.read_text().rstrip().endswith("ready"):
            return False
        try:
            self._connect("postgres").close()
        except psycopg.Error:
            return False
        return True

    def _make_database(self) -> None:
        with self._connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")


def _shared_buffers_mb() -> int:
    """512 MB, or an eighth of a small machine's memory."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 512
    return max(128, min(512, memory // 8 // 2**20))
