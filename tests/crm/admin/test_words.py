"""The back office says everything in words: no code, no field name, no raw time where a person reads."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from campaigns.models import Campaign, TriggerRule
from crm.api.models import ApiKey
from members.models import Member, MembershipEvent, Operation
from messaging.models import Message, Template, TemplateVersion
from tests.crm.admin.test_scope import address, told

pytestmark = pytest.mark.django_db


def words(answer) -> str:
    """What a page says, without its tags, one space between words."""
    without_scripts = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", told(answer), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without_scripts)).split())


@pytest.fixture
def in_chinese(boss):
    boss.cookies["django_language"] = "zh-hans"
    return boss


def test_a_rule_that_is_off_says_so(boss, of_riverside):
    TriggerRule.objects.update(is_on=False)

    said = words(boss.get(address(TriggerRule, "changelist")))

    assert re.search(r"Riverside spent Riverside \d+ Off ", said)


@pytest.mark.parametrize(
    ("change", "badge"),
    [
        ({}, "Usable"),
        ({"revoked": True}, "Revoked"),
        ({"expiry_date": datetime(2020, 1, 1, tzinfo=UTC)}, "Expired"),
    ],
)
def test_a_key_wears_its_standing_in_the_list_and_on_its_page(boss, owner, of_riverside, change, badge):
    key = of_riverside["api.ApiKey"]
    ApiKey.objects.filter(pk=key.pk).update(**change)

    assert f" {badge} " in words(boss.get(address(ApiKey, "changelist"))).split("Riverside partner")[1]
    page = words(owner.get(address(ApiKey, "change", key.pk)))
    assert badge in page and f"Key begins with {key.prefix}" in page and f"('{badge.lower()}'" not in page


def test_an_entry_names_its_account(boss, of_riverside):
    page = words(boss.get(address(Operation, "change", of_riverside["members.Operation"].pk)))

    assert "Account Amount Balance after Line of the account Principal -¥120.00 ¥380.00 2" in page
    assert "Entry object" not in page and "Account kind" not in page


def test_an_event_is_titled_in_the_readers_words(in_chinese, of_riverside):
    event = of_riverside["members.MembershipEvent"]

    for page in ("change", "history"):
        answer = told(in_chinese.get(address(MembershipEvent, page, event.pk)))
        title = re.search(r"<title>(.*?)</title>", answer, re.S)[1]
        assert f"消费 #{event.pk}" in title and "card_spent" not in answer


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Message, "以 门店 全部 Elsewhere Riverside"),
        (TriggerRule, "以 事件 全部 消费"),
        (Template, "以 事件 全部 消费"),
        (MembershipEvent, "以 事件 全部 开卡 会员卡充值 消费 会员入会"),
        (Member, "以 语言 全部 English"),
        (TemplateVersion, "以 语言 全部 English"),
        (ApiKey, "以 已吊销 全部"),
    ],
)
def test_filters_and_their_values_have_names(in_chinese, of_riverside, model, said):
    assert said in words(in_chinese.get(address(model, "changelist")))


def test_a_moment_is_written_as_people_write_it(boss, of_riverside):
    page = words(boss.get(address(Campaign, "change", of_riverside["campaigns.Campaign"].pk)))

    assert not re.search(r"\d\d:\d\d:\d\d\.\d+", page)


@pytest.mark.parametrize(
    ("language", "named"),
    [("en", "Settings chevron_right Rules of the house"), ("zh-hans", "系统参数 chevron_right 通用规则")],
)
def test_what_may_be_set_while_the_house_runs_is_called_so(boss, riverside, language, named):
    boss.cookies["django_language"] = language

    page = words(boss.get("/admin/constance/config/"))

    assert named in page and "Constance" not in page and not re.search(r"\bconfig\b", page, re.I)
