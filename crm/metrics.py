"""What a monitoring system reads: gauges in the text format of Prometheus, each from a bounded question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from crm.reports import gateways as report
from messaging.domain import budgets, restoring
from messaging.domain.alerts import open_alerts
from messaging.enums import PRIORITY, BindState, MessageClass
from messaging.models import Budget

_CLASSES = {PRIORITY[name]: name.value for name in MessageClass}


class Gauge(NamedTuple):
    """One number with its labels."""

    name: str
    labels: dict[str, str]
    value: float


HELP = {
    "regulars_queued": "Texts that wait, by class",
    "regulars_oldest_seconds": "How long the oldest text that may leave has waited, by class",
    "regulars_gateway_bound": "1 while the gateway is connected",
    "regulars_gateway_open": "Texts without an answer yet, by gateway",
    "regulars_gateway_minute": "Texts handed over in the last minute, by gateway",
    "regulars_gateway_day": "Tries of the last 24 hours, by gateway and what became of them",
    "regulars_gateway_uncertain": "Texts in doubt, by gateway",
    "regulars_receipt_seconds": "Seconds from the answer to the report in the last hour, by gateway and quantile",
    "regulars_budget_used_ratio": "Used share of a budget",
    "regulars_alerts": "Open alerts, by kind",
    "regulars_beat_age_seconds": "Seconds since the schedule last ticked",
    "regulars_clock_skew_seconds": "How far the database's clock is ahead",
}
DAY = ("accepted", "refused", "delivered", "undelivered", "no_receipt", "unanswered")


def gauges(*, at: datetime) -> Iterator[Gauge]:
    """Every number there is now."""
    for row in report.queue(at=at):
        label = {"class": _CLASSES.get(row["priority"], str(row["priority"]))}
        yield Gauge("regulars_queued", label, row["number"])
        yield Gauge("regulars_oldest_seconds", label, max(0.0, (at - row["oldest"]).total_seconds()))
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    names = {}
    for row in report.gateways(at=at, today=midnight, month=midnight):
        label = {"gateway": row["name"]}
        names[row["id"]] = label
        yield Gauge("regulars_gateway_bound", label, float(row["bind_state"] == BindState.BOUND))
        yield Gauge("regulars_gateway_open", label, row["open"])
        yield Gauge("regulars_gateway_minute", label, row["minute"])
        yield Gauge("regulars_gateway_uncertain", label, row["uncertain"])
        for outcome in DAY:
            yield Gauge("regulars_gateway_day", label | {"outcome": outcome}, row[outcome])
    for row in report.receipt_lags(at=at):
        for quantile, name in (("0.5", "p50"), ("0.95", "p95")):
            yield Gauge(
                "regulars_receipt_seconds", names[row["gateway_id"]] | {"quantile": quantile}, row[name]
            )
    yield from _house(at)


def _house(at: datetime) -> Iterator[Gauge]:
    for standing in budgets.standings(Budget.objects.filter(until_at=None), at=at):
        label = {"scope": standing.budget.scope, "budget": str(standing.budget.public_id)}
        yield Gauge("regulars_budget_used_ratio", label, standing.used_milli / standing.cap_milli)
    counted: dict[str, int] = {}
    for alert in open_alerts():
        counted[alert.kind] = counted.get(alert.kind, 0) + 1
    for kind, number in sorted(counted.items()):
        yield Gauge("regulars_alerts", {"kind": kind}, number)
    age = restoring.beat_age(at)
    if age is not None:
        yield Gauge("regulars_beat_age_seconds", {}, age)
    yield Gauge("regulars_clock_skew_seconds", {}, restoring.clock_skew(at))


def as_text(found: Iterable[Gauge]) -> str:
    """The text format, version 0.0.4: each name's help and type once, before its samples."""
    by_name: dict[str, list[Gauge]] = {}
    for gauge in found:
        by_name.setdefault(gauge.name, []).append(gauge)
    lines = []
    for name, samples in by_name.items():
        lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(sample.labels)} {sample.value:g}" for sample in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{said}}}" if said else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
