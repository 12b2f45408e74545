"""Celery's edge of messaging: ids in, one domain call, a dict of counts out."""

from celery import shared_task
from django.utils.timezone import now

from messaging.domain import alerts, budgets, inquiring, restoring, tallies
from messaging.domain.sweeps import sweep_messages as _sweep_messages


@shared_task
def sweep_messages() -> dict[str, int]:
    """The same sweep as the gateway process runs, for when none is running. Beat ticks it each 15 seconds.

    Then providers are asked about what is in doubt: here, since waiting for them would hold up a gateway.
    """
    return _sweep_messages() | {"asked": inquiring.ask_providers(at=now())}


@shared_task
def watch() -> dict[str, int]:
    """Tick: notice a restored database, then what is wrong; close what is over."""
    at = now()
    is_restored = restoring.look(at=at)
    restoring.tick(at=at)
    return alerts.watch(at=at) | {"restored": int(is_restored)}


@shared_task
def tally() -> dict[str, int]:
    """Count the last hours of each gateway anew, and what has come to rest off the budgets."""
    return {"settled": budgets.settle(), "rows": tallies.count(at=now())}


@shared_task
def tally_receipts() -> dict[str, int]:
    """Count the hours anew in which late receipts may still change something."""
    return {"rows": tallies.count(at=now(), back=tallies.AS_LONG_AS_RECEIPTS_COME)}
