"""A till far away: recharges and spends, and asks again by the same key until it has an answer.

`python -m tests.journeys.money_client NAME CARD`: one JSON line for each acknowledged intent; ends on SIGTERM.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import django
from django.db import InterfaceError, OperationalError, connection

django.setup()

from django.utils.timezone import now  # noqa: E402

from members.domain.cards import recharge_card  # noqa: E402
from members.domain.deeds import Outcome  # noqa: E402
from members.domain.ledger import Actor, TenderPaid  # noqa: E402
from members.domain.spending import spend  # noqa: E402
from members.enums import TenderType  # noqa: E402
from members.models import Card  # noqa: E402

PATIENCE_SECONDS = 60


def main() -> None:
    name, card_id = sys.argv[1], int(sys.argv[2])
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    card = insist(lambda: Card.objects.select_related("store", "product", "member").get(pk=card_id))
    print("ready", flush=True)
    for key, kind, amount in intents(name):
        outcome = insist(lambda key=key, kind=kind, amount=amount: do(card, name, key, kind, amount))
        told = {"key": key, "kind": kind, "amount": amount, "operation": str(outcome.operation.public_id)}
        print(json.dumps(told | {"replayed": outcome.is_replay}), flush=True)
        if stopping:
            return


def intents(name: str) -> Iterator[tuple[str, str, int]]:
    """Recharges of 10.00, and spends that they can pay."""
    dice, number = random.Random(name), 0
    while True:
        yield f"{name}-{number}-in", "recharge", 1000
        yield f"{name}-{number}-out", "spend", dice.randrange(1, 1000)
        number += 1


def do(card: Card, name: str, key: str, kind: str, amount: int) -> Outcome:
    common: dict[str, Any] = {
        "actor": Actor(scope=name),
        "key": key,
        "at": now(),
        "store": card.store,
        "card": card,
    }
    if kind == "recharge":
        return recharge_card(tender=TenderPaid(TenderType.CASH, amount), **common)
    return spend(amount_minor=amount, **common)


def insist(act: Any) -> Any:
    """Do it, again after every loss of the database, as an SDK would."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError):
            if time.monotonic() > end:
                raise
            connection.close()
            time.sleep(0.05)


if __name__ == "__main__":
    main()
