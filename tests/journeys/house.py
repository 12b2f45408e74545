"""The whole system for a journey: its real processes, a small shop on the test database, people who use it."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import redis
from celery import Celery
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils.timezone import now

from crm.local.account import Account
from crm.local.children import free_port, kill_group, spawn, stop_child, tail, wait_until
from crm.local.places import PROJECT
from crm.local.valkey import Valkey
from crm.seeding import setting_up
from members.domain.enrolment import Consents, enrol_member
from members.domain.ledger import Actor
from members.enums import ConsentSource
from members.models import Member, Staff, Store
from messaging.models import Gateway
from tests.journeys import nursery
from tests.journeys.browser_chromium import PASSWORD
from tests.journeys.dispatch_stage import (
    Carrier,
    GatewayProcesses,
    database_url,
    open_gateway,
    wait_for,
)
from tests.journeys.nursery import Born


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Grounds:
    """What stays up through all journeys of a session: a broker of their own, and the web once it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Valkey(Account(os.geteuid(), os.getegid(), folder), folder / "valkey.log")
        self.broker.start()
        self.environment = os.environ | {
            "REGULARS_DATABASE_URL": database_url(),
            "REGULARS_BROKER_URL": self.broker.url,
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "CELERY_SKIP_CHECKS": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self._web: subprocess.Popen[bytes] | None = None
        self.url = ""

    def open_web(self) -> None:
        """Start the web, without waiting for it; once."""
        if self._web is not None:
            return
        port = free_port()
        where = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "8"]
        words = ["-m", "gunicorn", "crm.wsgi:application", *where, "--no-control-socket"]
        self._web = spawn(
            [sys.executable, *words], self.folder / "web.log", env=self.environment, cwd=PROJECT
        )
        self.url = f"http://127.0.0.1:{port}"

    def forget(self) -> None:
        """Empty the broker, jobs and cache alike."""
        with redis.Redis.from_url(self.broker.url) as client:
            client.flushall()

    def stop(self) -> None:
        if self._web is not None:
            stop_child(self._web, first=signal.SIGKILL)
        self.broker.stop()


class House:
    """One journey's processes, started as it needs them; `stop` leaves none. The carrier is its own."""

    def __init__(self, grounds: Grounds, folder: Path) -> None:
        self.folder, self._grounds = folder, grounds
        self.environment = grounds.environment
        self._celery = Celery(broker=grounds.broker.url)
        self._children: list[Born] = []
        grounds.forget()
        self.carrier = Carrier(folder)
        self.gateways = GatewayProcesses(folder)

    def start(self, name: str, *words: str) -> Born:
        """Start `python words…`, its output in <name>.log."""
        log = os.open(self.log(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            child = nursery.start(words, env=self.environment, log=log)
        finally:
            os.close(log)
        self._children.append(child)
        return child

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def open_web(self) -> None:
        """Start the web if it is not up, without waiting: `url` does."""
        self._grounds.open_web()

    @property
    def url(self) -> str:
        """The web's address, when it answers."""
        self.open_web()
        is_up = wait_until(lambda: ask(f"{self._grounds.url}/health/").status == 200, 40)
        assert is_up, f"the web is not ready:\n{tail(self._grounds.folder / 'web.log')}"
        return self._grounds.url

    def start_worker(self, name: str = "worker") -> Born:
        """Start a Celery worker of one process, without waiting for it."""
        words = [
            "--concurrency=1",
            "--without-gossip",
            "--without-mingle",
            "--loglevel=INFO",
            f"--hostname={name}@%h",
        ]
        return self.start(name, "-m", "celery", "-A", "crm.celery", "worker", *words)

    def start_beat(self, name: str = "beat") -> Born:
        """Start a beat, without waiting for it."""
        return self.start(name, "-m", "celery", "-A", "crm.celery", "beat", "--loglevel=INFO", "--pidfile=")

    def expect_in_log(self, name: str, words: str, times: int = 1) -> None:
        """Wait until a process has said something so often."""

        def is_said() -> bool:
            return self.log(name).read_text(errors="replace").count(words) >= times

        assert wait_until(is_said, 40), f"{name} did not say {words!r}:\n{tail(self.log(name))}"

    def send_task(self, name: str, *arguments: Any) -> None:
        """Hand a job to the workers."""
        self._celery.send_task(name, arguments, ignore_result=True)

    def open_gateway(self) -> Gateway:
        """A gateway to the carrier, bound."""
        gateway = open_gateway(self.carrier)
        self.gateways.start()
        wait_for(lambda: Gateway.objects.get(pk=gateway.pk).bind_state == "bound", 10, "the bind")
        return gateway

    def handset(self, phone: str) -> list[str]:
        """The texts a phone shows, oldest first."""
        return [text["text"] for text in self.carrier.thread(phone.lstrip("+")) if text["direction"] == "in"]

    def kill(self, child: Born) -> None:
        """A process and all its children, as the kernel would."""
        kill_group(child.pid)
        child.wait(10)
        self._children.remove(child)

    def kill_children(self, child: Born) -> int:
        """Only the processes that work for it; how many there were."""
        found = children_of(child.pid)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    def stop(self) -> None:
        for child in reversed(self._children):
            stop_child(child, first=signal.SIGKILL)
        self.gateways.stop_all()
        self.carrier.stop()
        self._celery.close()


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ask(url: str, body: bytes | None = None, **headers: str) -> Answer:
    """One request, redirects not followed; status 0 when nobody answers."""
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=15)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        link.request("POST" if body is not None else "GET", path, body, named)
        came = link.getresponse()
        return Answer(came.status, dict(came.headers), came.read().decode())
    except OSError:
        return Answer(0, {}, "")
    finally:
        link.close()


class Browserless:
    """A member of staff at the till's addresses without a browser: their session, forms sent as the pages do."""

    def __init__(self, url: str, staff: Staff) -> None:
        self.url, self._token = url, secrets.token_hex(16)
        client = Client()
        client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self._cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={self._token}"

    def get(self, path: str) -> Answer:
        return ask(self.url + path, Cookie=self._cookies)

    def post(self, path: str, **fields: Any) -> Answer:
        body = urlencode({"csrfmiddlewaretoken": self._token, **fields}).encode()
        return ask(
            self.url + path, body, Cookie=self._cookies, Content_Type="application/x-www-form-urlencoded"
        )


class Partner:
    """Another company's system with a key."""

    def __init__(self, url: str, secret: str) -> None:
        self.url, self._secret = url, secret

    def post(self, path: str, key: str, **body: Any) -> Answer:
        return ask(
            f"{self.url}/api/v1/{path}",
            json.dumps(body).encode(),
            Authorization=f"Api-Key {self._secret}",
            Idempotency_Key=key,
            Content_Type="application/json",
        )


@dataclass
class Shop:
    """The demo's three stores with their staff, card products, texts and rules, without members."""

    stores: list[Store]
    staff: dict[str, Staff]

    @property
    def riverside(self) -> Store:
        return self.stores[0]

    @property
    def at_till(self) -> Actor:
        cashier = self.staff["cashier"]
        return Actor(scope=f"staff:{cashier.pk}", staff_id=cashier.pk)

    def enrol(self, phone: str, name: str = "", *, marketing: bool = True) -> Member:
        """Enrol somebody at Riverside who reads English."""
        consents = Consents(True, marketing, "2026-11", ConsentSource.TILL)
        return enrol_member(
            actor=self.at_till,
            key=f"enrol-{phone}",
            at=now(),
            store=self.riverside,
            phone=phone,
            consents=consents,
            name=name,
            language="en",
        )


def open_shop() -> Shop:
    """What a shop sets up in its first hour, as the demo does it; everybody logs in with PASSWORD."""
    stores = setting_up.open_stores()
    staff, _ = setting_up.employ(stores)
    Staff.objects.update(password=make_password(PASSWORD))
    setting_up.open_places(staff)
    setting_up.write_texts(staff["marketer"], staff["owner"], now())
    return Shop(stores, Staff.objects.in_bulk(field_name="username"))
