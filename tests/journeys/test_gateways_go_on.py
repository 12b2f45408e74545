"""What falls over beside the texts, in a process that carries many gateways, stops none of them."""

from __future__ import annotations

import time

from constance import config

from members.models import Member
from messaging.domain.dispatch.connector import UNUSABLE
from messaging.enums import MessageClass
from messaging.models import Gateway
from messaging.states import State
from tests.journeys.dispatch_stage import open_gateway, queue, states, wait_for

NOTIFICATION = MessageClass.NOTIFICATION


def test_hours_that_cannot_be_read_are_read_again(carrier, gateways, li_lei: Member):
    open_gateway(carrier)
    config.MARKETING_FROM = "nine"  # past the page that checks it
    process = gateways.start()
    queue([li_lei], NOTIFICATION)
    time.sleep(2)  # it has tried

    assert process.poll() is None
    config.MARKETING_FROM = "09:00"

    wait_for(lambda: states() == {State.ACCEPTED: 1}, 8, "the text, once there are hours")


def test_settings_nobody_can_use_stop_no_other_gateway(carrier, gateways, li_lei: Member):
    broken = open_gateway(carrier, name="Broken")
    Gateway.objects.filter(pk=broken.pk).update(options=["tls"])
    open_gateway(carrier)
    gateways.start()

    queue([li_lei], NOTIFICATION)

    wait_for(lambda: states() == {State.ACCEPTED: 1}, 8, "the text, by the other gateway")
    broken.refresh_from_db()
    assert (broken.bind_state, broken.last_error) == ("refused", UNUSABLE)
