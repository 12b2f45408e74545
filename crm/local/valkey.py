"""The embedded Valkey: the broker. Persistent (append-only file), never evicting, on 127.0.0.1 with a
password.
"""

import os
import secrets
import signal
import subprocess
from pathlib import Path

import redis

from crm.local.account import Account
from crm.local.children import claim, free_port, spawn, stop_child, tail, wait_until
from crm.local.places import StartFailed, write_private
from crm.local.programs import valkey_server

START_SECONDS = 30
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}


class Valkey:
    """One server on one data folder. `start()` returns when it answers; the port stays the same over
    restarts.
    """

    def __init__(self, account: Account, log: Path, port: int = 0) -> None:
        self.account, self.log = account, log
        self.port = free_port(port)
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server. Raises StartFailed."""
        argv = [valkey_server(self.account), self._configuration()]
        lock = claim(self.account.home / "valkey.lock", 15)
        if lock is None:
            raise StartFailed(f"Another Valkey still holds {self.account.home / 'valkey'}: stop it first.")
        try:
            self.child = spawn(argv, self.log, env=ENVIRONMENT, pass_fds=[lock], **self.account.popen())
        except OSError as error:
            raise StartFailed(f"Valkey could not be started as user {self.account.uid}: {error}") from error
        finally:
            os.close(lock)
        child = self.child
        wait_until(lambda: child.poll() is not None or self._answers(), START_SECONDS)
        if child.poll() is not None or not self._answers():
            stop_child(child)
            raise StartFailed(f"Valkey did not start; the end of {self.log}:\n{tail(self.log)}")

    def stop(self) -> None:
        """A clean stop: the append-only file is flushed."""
        if self.child is not None:
            stop_child(self.child, first=signal.SIGTERM, wait_seconds=30)

    def _password(self) -> str:
        file = self.account.home / "valkey.password"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(24))
            self.account.own(file)
        return file.read_text().strip()

    def _configuration(self) -> Path:
        data = self.account.private_folder("valkey")
        file = data / "valkey.conf"
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self._password(),
            "dir": f'"{data}"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        write_private(file, "".join(f"{name} {value}\n" for name, value in settings.items()))
        self.account.own(file)
        return file

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
