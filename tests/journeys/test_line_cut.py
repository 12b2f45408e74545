"""F9: the line is cut in the midst of a PDU, of a text on its way there or of the answer on its way back: SMPP over TLS, and
CMPP, which has none. `REGULARS_TORTURE=1` (and `make torture`) cuts five times each.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from crm.local.faults.cut import SUBMIT, SUBMIT_RESPONSE, CutLink
from members.models import Store
from messaging.domain.sweeps import sweep_messages
from messaging.models import Gateway, Message
from messaging.secrets import encrypt_secret
from messaging.states import State
from tests.journeys.dispatch_stage import Carrier, GatewayProcesses, crowd, queue, states, wait_for
from tests.journeys.test_outages_elsewhere import CmppCarrier
from tests.messaging.gateways.smpp.test_connections import certificate

CUTS = 5 if os.environ.get("REGULARS_TORTURE") == "1" else 1
TEXTS, WINDOW = 60, 10

Journal = Callable[[], list[str]]


@pytest.fixture(params=["smpp over tls", "cmpp"])
def line(request: pytest.FixtureRequest, db: None, tmp_path: Path) -> Iterator[tuple[CutLink, Journal]]:
    """The wire to a carrier, with a gateway that goes by it; and the phones of all that the carrier took."""
    if request.param == "cmpp":
        ismg = CmppCarrier(tmp_path)
        ismg.open()
        link = CutLink(ismg.port)
        open_line(link, ismg.settings() | {"port": link.port}, kind="cmpp")
        yield link, lambda: [phone for phone, _at in ismg.journal()]
        link.close()
        ismg.close()
        return
    file, context = certificate(tmp_path)
    carrier = Carrier(tmp_path)
    carrier.post("/api/carrier", answer_delay_ms=20)
    link = CutLink(carrier.smsc_port, tls=context)
    account = {
        "host": "127.0.0.1",
        "port": link.port,
        "system_id": "shop",
        "secret": encrypt_secret("secret"),
    }
    open_line(link, account | {"options": {"tls": True, "tls_ca_file": file}}, kind="smpp")
    yield link, lambda: [f"+{entry['to']}" for entry in carrier.accepted()]
    link.close()
    carrier.stop()


def open_line(link: CutLink, fields: dict[str, Any], *, kind: str) -> None:
    Gateway.objects.create(name="106", kind=kind, sender="1069012345", window=WINDOW, **fields)


def in_doubt() -> set[str]:
    return set(Message.objects.filter(state=State.UNCERTAIN).values_list("phone", flat=True))


@pytest.mark.parametrize("command", [SUBMIT, SUBMIT_RESPONSE], ids=["a text", "an answer"])
def test_a_line_cut_in_the_midst_of_a_pdu_loses_no_text_and_repeats_none(
    line: tuple[CutLink, Journal], gateways: GatewayProcesses, riverside: Store, command: int
):
    link, journal = line
    members = crowd(riverside, TEXTS * (CUTS + 1))
    gateways.start("--answer-seconds", "3")

    for number in range(CUTS):
        link.cut(command)
        queue(members[number * TEXTS : (number + 1) * TEXTS], run=number + 1)
        wait_for(lambda: link.cuts == number + 1, 20, "the cut")  # noqa: B023
    queue(members[CUTS * TEXTS :], run=CUTS + 1)

    total = TEXTS * (CUTS + 1)
    wait_for(lambda: states().get(State.DELIVERED, 0) + len(in_doubt()) == total, 60, "every text")
    taken = journal()
    print(f"F9 cut in the midst: {CUTS} cuts, {total} texts, {len(taken)} taken, {len(in_doubt())} in doubt")
    assert set(Counter(taken).values()) == {1}, "nobody was texted twice"
    sure = set(Message.objects.exclude(state=State.UNCERTAIN).values_list("phone", flat=True))
    assert sure <= set(taken), "none is called delivered that the carrier did not take"
    assert len(in_doubt()) <= CUTS * WINDOW, "no more than was on the wire"

    sweep_messages(at=now() + timedelta(hours=73))

    assert in_doubt() == set()
    assert Counter(journal()) == Counter(taken), "marketing is never sent again"
