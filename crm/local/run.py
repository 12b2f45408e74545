"""`make run`: everything Regulars needs, on this machine, until Ctrl-C or `make stop`."""

import os
import signal
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from types import FrameType

from crm.local import messages
from crm.local.children import claim, tail
from crm.local.places import PROJECT, RUN_LOCK, StartFailed, data_dir, log_file, prepared_data_dir
from crm.local.prepared import is_prepared, note_prepared, point_simulator
from crm.local.ready import Ports, announce
from crm.local.servers import Servers, released, using_servers
from crm.local.supervisor import Program, Supervisor

READY_SECONDS = 90
POLL_SECONDS = 0.1


@dataclass
class Wish:
    """Whether we were asked to stop: by Ctrl-C, `make stop`, or because the `make` above us died."""

    is_told: bool = False
    make_pid: int = os.getppid() if os.environ.get("MAKELEVEL") else 0

    def listen(self) -> None:
        """From now on signals only note the wish."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def to_stop(self) -> bool:
        """Time to go?"""
        return self.is_told or bool(self.make_pid and os.getppid() != self.make_pid)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.is_told = True


def main() -> int:
    """Exit code 0 after a wished stop, 1 when something could not be started."""
    try:
        return _run_alone()
    except StartFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        released(60)
        return 1


def _run_alone() -> int:
    began_at = time.monotonic()
    folder = prepared_data_dir()
    lock = claim(folder / RUN_LOCK)
    if lock is None:
        pid = (folder / RUN_LOCK).read_text().strip()
        raise StartFailed(
            f"Regulars is already running from this folder (process {pid}). `make stop` stops it."
        )
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    wish = Wish()
    wish.listen()
    with using_servers() as servers:
        ports = Ports.choose()
        supervisor = Supervisor(_environment(servers, ports), servers.lock)
        try:
            _serve(supervisor, servers, ports, wish, began_at)
        finally:
            print("Stopping …", flush=True)
            supervisor.stop()
    released(60)
    print("Stopped.")
    return 0


def _environment(servers: Servers, ports: Ports) -> dict[str, str]:
    return (
        dict(os.environ)
        | servers.environment()
        | ports.environment()
        | {
            "REGULARS_DATA_DIR": str(data_dir()),
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "PYTHONUNBUFFERED": "1",
            "CELERY_SKIP_CHECKS": "1",  # `make check` runs them; here they would cost every start seconds
        }
    )


def _serve(supervisor: Supervisor, servers: Servers, ports: Ports, wish: Wish, began_at: float) -> None:
    if servers.data:
        print(f"  database and broker are up ({time.monotonic() - began_at:.1f} s)", flush=True)
    messages.compile_stale()
    supervisor.start([_simulator(ports)])
    if not is_prepared(servers.urls["database_url"]):
        if not supervisor.run_once("prepare", _python("crm.local.prepare"), wish.to_stop):
            if wish.to_stop():
                return
            raise StartFailed(f"The database could not be prepared:\n{tail(log_file('prepare'), 25)}")
        note_prepared(servers.urls["database_url"])
        print(f"  database is migrated and filled ({time.monotonic() - began_at:.1f} s)", flush=True)
    point_simulator(servers.urls["database_url"], ports.smsc)
    supervisor.start(_programs(ports))
    _wait_until_ready(supervisor, wish)
    if not wish.to_stop():
        announce(servers, ports, time.monotonic() - began_at)
    while not wish.to_stop():
        supervisor.revive()
        time.sleep(POLL_SECONDS * 3)


def _wait_until_ready(supervisor: Supervisor, wish: Wish) -> None:
    end = time.monotonic() + READY_SECONDS
    while (waiting := supervisor.waiting_for()) and not wish.to_stop():
        supervisor.revive()
        if time.monotonic() > end:
            names = ", ".join(f"{program.name} ({log_file(program.name)})" for program in waiting)
            raise StartFailed(
                f"Not ready after {READY_SECONDS} s: {names}\n{tail(log_file(waiting[0].name))}"
            )
        time.sleep(POLL_SECONDS)


def _python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", module, *words]


def _simulator(ports: Ports) -> Program:
    words = [
        "--smsc-port",
        str(ports.smsc),
        "--http-port",
        str(ports.simulator),
        "--cmpp-port",
        str(ports.cmpp),
    ]
    journal = ["--journal", str(data_dir() / "simulator-journal.jsonl")]
    return Program(
        "simulator",
        _python("crm.local.simulator", *words, *journal),
        lambda _: _answers(f"http://127.0.0.1:{ports.simulator}/api/stats"),
        stop_rank=1,
    )


def _programs(ports: Ports) -> list[Program]:
    celery = _python("celery", "-A", "crm.celery")
    worker = [*celery, "worker", "--concurrency=2", "--loglevel=INFO", "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--loglevel=INFO", "--pidfile="]
    return [
        Program("web", _gunicorn(ports.web), lambda _: _answers(f"http://127.0.0.1:{ports.web}/health/")),
        Program("worker", worker, lambda program: b" ready." in program.new_log()),
        Program("beat", beat, lambda program: b"beat: Starting" in program.new_log()),
        Program(
            "gateway",
            [sys.executable, str(PROJECT / "manage.py"), "run_gateways"],
            lambda program: b"READY" in program.new_log(),
        ),
    ]


def _gunicorn(port: int) -> list[str]:
    words = [
        "--bind",
        f"127.0.0.1:{port}",
        "--worker-class",
        "gthread",
        "--workers",
        "2",
        "--threads",
        "8",
        "--preload",
    ]
    return _python(
        "gunicorn", "crm.wsgi:application", *words, "--graceful-timeout", "10", "--no-control-socket"
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # nosec B310  a fixed http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main())
