"""Gateways and routes in the back office: each kind by its own form, secrets in and never out, the box, the test text."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging.domain.dispatch.lease import GatewayConfig
from messaging.domain.dispatch.links import link_for
from messaging.domain.gateways import is_allowed_source, is_safe_address
from messaging.enums import Cause, GatewayKind
from messaging.models import Gateway, Message, ProviderTemplate, Region, Route
from messaging.secrets import decrypt_secret, decrypt_secrets, encrypt_secrets
from messaging.states import State
from tests.crm.admin.test_scope import address, told

pytestmark = pytest.mark.django_db

COMMON = {
    "window": "50",
    "rate": "0",
    "price_minor": "0.05",
    "has_receipts": "on",
    "has_inbound": "on",
    "has_long_texts": "on",
    "has_unicode": "on",
    "is_active": "on",
}
KINDS = {
    "aliyun": (
        {"told_access_key_id": "AK", "told_endpoint": "https://dysmsapi.aliyuncs.com", "told_batch_max": "1"},
        {"told_access_key_secret": "hunter2-aliyun"},
    ),
    "tencent": (
        {
            "told_secret_id": "ID",
            "told_sdk_app_id": "1400",
            "told_region": "ap-guangzhou",
            "told_endpoint": "https://sms.tencentcloudapi.com",
            "told_batch_max": "50",
        },
        {"told_secret_key": "hunter2-tencent"},
    ),
    "twilio": (
        {"told_account_sid": "AC1", "told_endpoint": "https://api.twilio.com"},
        {"told_auth_token": "hunter2-twilio", "told_shared_key": "hunter2-shared"},
    ),
    "http": (
        {"told_url": "http://127.0.0.1:9000/sms", "told_key_id": "K"},
        {"told_secret": "hunter2-of-our-own"},
    ),
}


def form(kind: str, **more) -> dict:
    options, secrets = KINDS[kind]
    return COMMON | {"name": kind, "kind": kind} | options | secrets | more


def added(boss, kind: str, **more) -> Gateway:
    page = boss.post(address(Gateway, "add"), form(kind, **more))
    assert page.status_code == 302, told(page)
    return Gateway.objects.get(name=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_shows_what_it_needs_and_nothing_else(boss, kind):
    page = told(boss.get(address(Gateway, "add") + f"?kind={kind}"))

    own = {name for part in KINDS[kind] for name in part}
    others = {name for other in KINDS if other != kind for part in KINDS[other] for name in part} - own
    assert all(f'name="{name}"' in page for name in own)
    assert not any(f'name="{name}"' in page for name in others | {"host", "password"})


def test_a_new_gateway_is_smpp_unless_another_kind_is_chosen(boss):
    page = told(boss.get(address(Gateway, "add")))

    assert 'name="host"' in page and "?kind=twilio" in page and "?kind=cmpp" in page
    assert "?kind=smpp" not in page


@pytest.mark.parametrize(
    ("kind", "options", "password"),
    [
        ("smpp", {"told_bind": "pair", "told_tls": "on"}, "eightlet"),
        ("cmpp", {"told_version": "3.0"}, "a secret longer than SMPP has room for"),
    ],
)
def test_a_connections_habits_reach_its_link(boss, kind, options, password):
    fields = {"host": "h", "port": "7890", "system_id": "901234", "password": password}
    boss.post(address(Gateway, "add"), COMMON | {"name": "C", "kind": kind} | fields | options)

    gateway = Gateway.objects.get()
    columns = [getattr(gateway, name) for name in GatewayConfig._fields]
    settings = link_for(GatewayConfig(*columns), 30.0, print, print).settings

    assert decrypt_secret(gateway.secret) == password
    assert (settings.host, settings.port, settings.window) == ("h", 7890, 50)
    if kind == "smpp":
        assert (settings.bind, settings.tls, settings.sends_validity) == ("pair", True, False)
    else:
        assert (settings.version, settings.sp_id) == ("3.0", "901234")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_typed_for_a_provider_reaches_its_link(boss, kind):
    gateway = added(boss, kind)
    columns = [getattr(gateway, name) for name in GatewayConfig._fields]
    link = link_for(GatewayConfig(*columns), 30.0, print, print)

    told = {name.removeprefix("told_"): value for part in KINDS[kind] for name, value in part.items()}
    settings = link.provider.settings
    for name, value in told.items():
        assert str(getattr(settings, name, value)) == value


def test_smpp_has_room_for_eight(boss):
    fields = {"host": "h", "port": "2775", "system_id": "s", "password": "nine sign"}
    page = told(boss.post(address(Gateway, "add"), COMMON | {"name": "C", "kind": "smpp"} | fields))

    assert "At most eight characters." in page and not Gateway.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_go_in_and_never_come_out(boss, owner, kind):
    gateway = added(boss, kind)
    kept = decrypt_secrets(gateway.secret)
    without = {name: value for name, value in form(kind).items() if name not in KINDS[kind][1]}
    boss.post(address(Gateway, "change", gateway.pk), without | {"price_minor": "0.07"})

    gateway.refresh_from_db()
    assert (decrypt_secrets(gateway.secret), gateway.price_minor) == (kept, 7)
    assert set(kept.values()) == set(KINDS[kind][1].values())
    assert not set(gateway.options) & set(kept)
    for desk in (boss, owner):
        page = told(desk.get(address(Gateway, "change", gateway.pk)))
        assert "hunter2" not in page and gateway.secret not in page


def test_a_missing_secret_is_said_beside_its_box(boss):
    page = boss.post(address(Gateway, "add"), form("twilio", told_auth_token=""))

    assert "This is needed to log in." in told(page)
    assert not Gateway.objects.exists()


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("http", {"told_url": "http://box.example"}, "An https address"),
        ("http", {"told_url": "https://user:word@box.example"}, "An https address"),
        ("http", {"told_secret": "short"}, "At least 16 characters"),
        ("aliyun", {"told_batch_max": "0"}, "greater than or equal to 1"),
        ("aliyun", {"callback_sources": "203.0.113.0/24 nowhere"}, "is not an address"),
        ("twilio", {"sender": "Regulars"}, "shows no names"),
    ],
)
def test_what_cannot_be_is_said_beside_its_box(boss, kind, change, said):
    page = boss.post(address(Gateway, "add"), form(kind, **change))

    assert said in told(page)
    assert not Gateway.objects.exists()


def test_smpp_still_needs_an_address(boss):
    page = told(boss.post(address(Gateway, "add"), COMMON | {"name": "S", "kind": "smpp", "port": "0"}))

    assert "A number from 1 to 65535." in page and "This field is required." in page


def test_its_kind_decides_what_follows(boss):
    gateway = added(boss, "aliyun")

    assert (gateway.needs_template, len(gateway.callback_token) >= 32) == (True, True)
    page = told(boss.get(address(Gateway, "change", gateway.pk)))
    assert f"/hooks/gateways/{gateway.callback_token}/receipts" in page


def test_the_templates_at_a_provider_have_one_list_and_the_gateway_leads_to_it(boss):
    gateway, other = added(boss, "aliyun"), added(boss, "tencent")
    for each in (gateway, other):
        ProviderTemplate.objects.create(gateway=each, system_text="login_code", language="en")
    where = f"{reverse('admin:messaging_providertemplate_changelist')}?gateway__id__exact={gateway.pk}"

    page, listed = told(boss.get(address(Gateway, "change", gateway.pk))), boss.get(where)

    assert f'href="{where}"' in page and "providertemplate_set" not in page
    assert [row.gateway for row in listed.context["cl"].result_list] == [gateway]
    assert "gateway__id__exact" not in told(boss.get(address(Gateway, "add") + "?kind=smpp"))


def test_the_secret_path_is_a_superusers_to_see(boss, owner):
    gateway = added(boss, "twilio")

    assert gateway.callback_token not in told(owner.get(address(Gateway, "change", gateway.pk)))


# The test text


def test_a_test_text_goes_by_this_gateway_whatever_the_routes_say(boss, riverside):
    gateway = Gateway.objects.create(name="Far", kind=GatewayKind.TWILIO, callback_token="t")
    Route.objects.create(gateway=gateway, prefix="+1")
    url = address(Gateway, "change", gateway.pk).replace("change", "test")

    assert "Send it" in told(boss.get(url))
    boss.post(url, {"phone": "138 0013 8000", "store": riverside.pk})

    text = Message.objects.get()
    assert (text.cause, text.gateway, text.state) == (Cause.TEST, gateway, State.QUEUED)
    assert text.text == "【常客】A test text by way of Far."


def test_a_test_text_to_no_number_is_said_beside_the_box(boss, riverside):
    gateway = Gateway.objects.create(name="Far", kind=GatewayKind.TWILIO)
    url = address(Gateway, "change", gateway.pk).replace("change", "test")

    page = told(boss.post(url, {"phone": "12", "store": riverside.pk}))

    assert "This is not a mobile number." in page and 'value="12"' in page
    assert not Message.objects.exists()


def test_only_a_superuser_sends_one(owner, riverside):
    gateway = Gateway.objects.create(name="Far", kind=GatewayKind.TWILIO)
    url = address(Gateway, "change", gateway.pk).replace("change", "test")

    assert owner.post(url, {"phone": "13800138000", "store": riverside.pk}).status_code == 403
    assert not Message.objects.exists()


# Routes


def test_a_route_is_written_and_read(boss):
    gateway = Gateway.objects.create(name="Far", kind=GatewayKind.TWILIO)

    boss.post(
        address(Route, "add"),
        {
            "position": "5",
            "gateway": gateway.pk,
            "classes": ["verification"],
            "prefix": "+1",
            "is_active": "on",
        },
    )

    route = Route.objects.get()
    assert (route.classes, route.prefix, route.gateway) == (["verification"], "+1", gateway)
    page = told(boss.get(address(Route, "changelist")))
    assert "Verification" in page and "Which way would this number go?" in page


@pytest.mark.parametrize("prefix", ["86", "+0", "+86x", "+86\n"])
def test_a_prefix_is_digits_behind_a_plus(boss, prefix):
    gateway = Gateway.objects.create(name="Far", kind=GatewayKind.TWILIO)

    page = told(boss.post(address(Route, "add"), {"position": "5", "gateway": gateway.pk, "prefix": prefix}))

    assert Route.objects.exists() == (prefix == "+86\n"), page  # a line end is trimmed, as everywhere


def test_the_box_says_which_way(boss, owner, riverside):
    up = Gateway.objects.create(name="Near", kind=GatewayKind.HTTP)
    Route.objects.create(gateway=up, classes=["notification"])
    asked = {"phone": "13800138000", "store": riverside.pk, "message_class": "notification", "text": "Hello"}

    for desk in (boss, owner):
        page = told(desk.get(address(Route, "way"), asked))
        assert "This way" in page and "Near" in page
    page = told(boss.get(address(Route, "way"), asked | {"message_class": "marketing"}))
    assert "No route leads to this number" in page


def test_a_route_is_tried_before_it_is_kept(boss, riverside):
    near, far = (Gateway.objects.create(name=name, kind=GatewayKind.HTTP) for name in ("Near", "Far"))
    Route.objects.create(gateway=near)
    region = Region.objects.create(name="Ours", covers="CN", beginnings=["+86"])
    written = {"position": "10", "gateway": far.pk, "region": region.pk, "is_active": "on"}
    asked = {"try-phone": "13800138000", "try-store": riverside.pk, "try-message_class": "notification"}

    page = told(boss.post(address(Route, "try"), written | asked))

    assert page.index("Far · this route") < page.index("This way") < page.index("Near")
    assert Route.objects.get().gateway == near, "nothing was kept"
    kept = reverse("admin:messaging_route_try", args=[Route.objects.get().pk])
    page = told(boss.post(kept, written | asked | {"try-phone": "+1 310 555 0123"}))
    assert "No route leads to this number" in page


def test_what_is_wrong_with_the_route_or_the_number_is_said(boss, riverside):
    near = Gateway.objects.create(name="Near", kind=GatewayKind.HTTP)
    region = Region.objects.create(name="Ours", covers="CN", beginnings=["+86"])
    written = {"position": "10", "gateway": near.pk, "region": region.pk, "prefix": "+86", "is_active": "on"}
    asked = {"try-phone": "12", "try-store": riverside.pk, "try-message_class": "notification"}

    page = told(boss.post(address(Route, "try"), written | asked))
    assert "This is not a mobile number." in page
    page = told(boss.post(address(Route, "try"), written | asked | {"try-phone": "13800138000"}))
    assert "Give a beginning or a region, not both." in page


def test_only_who_may_change_routes_tries_one(owner, boss, riverside):
    assert owner.post(address(Route, "try"), {}).status_code == 403
    assert boss.get(address(Route, "try")).status_code == 405


def test_a_region_is_written_as_people_write_it(boss):
    page = told(boss.get(address(Region, "add")))
    assert "EU European Union" in page

    boss.post(address(Region, "add"), {"name": "Europe", "covers": "HMT, CH, +1310"})

    assert Region.objects.get().beginnings == ["+1310", "+41", "+852", "+853", "+886"]
    assert "+1310, +41, +852" in told(boss.get(address(Region, "changelist")))


@pytest.mark.parametrize(
    ("covers", "said"),
    [
        ("Mars", "“MARS” is no country, no group and no beginning of a number."),
        ("CA", "CA has no calling code of its own: write how its numbers begin after +1."),
        (" , ", "This field is required."),
    ],
)
def test_what_no_region_covers_is_said_beside_the_box(boss, covers, said):
    page = told(boss.post(address(Region, "add"), {"name": "Elsewhere", "covers": covers}))

    assert said in page and not Region.objects.exists()


def test_routes_cost_the_same_for_one_and_for_three(boss):
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            boss.get(address(Route, "changelist"))
        return len(asked)

    Route.objects.create(gateway=Gateway.objects.create(name="G0"))
    one = count()
    for number in range(1, 4):
        Route.objects.create(gateway=Gateway.objects.create(name=f"G{number}"), position=number)

    assert count() == one


# What is safe


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://api.example/sms", True),
        ("http://localhost:9000", True),
        ("http://10.0.0.5/x", True),
        ("http://api.example", False),
        ("http://8.8.8.8", False),
        ("https://a:b@api.example", False),
        ("https://api.example?x=1", False),
        ("ftp://api.example", False),
        ("https://", False),
        ("https://[broken", False),
        ("https://h:99999", False),
        ("javascript:alert(1)", False),
    ],
)
def test_keys_do_not_travel_openly(url, is_safe):
    assert is_safe_address(url) is is_safe


def test_no_list_of_sources_allows_every_one():
    assert is_allowed_source("  ", "nonsense")
    assert not is_allowed_source("10.0.0.0/8", "nonsense")


def test_a_second_template_of_one_version_is_refused_by_the_database(boss):
    gateway = Gateway.objects.create(name="A", kind=GatewayKind.ALIYUN, secret=encrypt_secrets({}))
    ProviderTemplate.objects.create(gateway=gateway, system_text="login_code", language="en")

    for wrong in ({"system_text": "login_code", "language": "en"}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ProviderTemplate.objects.create(gateway=gateway, **wrong)
