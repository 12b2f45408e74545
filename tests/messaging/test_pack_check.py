"""What a country or provider refuses is said while the text is written; and what to do about a half-and-half one."""

import pytest

from messaging.contacts import contacts_in
from messaging.linter import lint, smuggles
from messaging.pack_check import check_packs
from messaging.rules import country, providers
from messaging.splitting import split


def rules_of(
    text: str, message_class: str = "notification", region: str = "CN", provider: str = ""
) -> set[str]:
    packs = [providers()[provider]] if provider else []
    found = check_packs(text, message_class, country=country(region), providers=packs, language="en")
    assert all(text[one.start : one.end] == one.word and one.says and one.source for one in found)
    return {one.rule for one in found}


@pytest.mark.parametrize(
    ("text", "message_class", "rule"),
    [
        ("您的登录口令是{code}", "verification", "code_word"),
        ("验证码{code}，详见 shop.cn/a", "verification", "code_contact"),
        ("余额{balance}，致电 021-55550100", "notification", "referred_contact"),
        ("余额{balance}，致电{store_phone}", "notification", "referred_contact"),
        ("已发货。拒收请回复R", "notification", "opt_out_in_service"),
        ("全场八折，回T退订", "marketing", "old_opt_out"),
        ("详情 t.cn/abc", "marketing", "public_shortener"),
        ("代开发票", "marketing", "forbidden_topic"),
        ("抽奖编号{code}", "notification", "watched_topic"),
    ],
)
def test_china_says_it_before_a_provider_does(text: str, message_class: str, rule: str) -> None:
    assert rule in rules_of(text, message_class)


@pytest.mark.parametrize(
    ("provider", "text", "rule"),
    [
        ("aliyun", "{name}{amount}已到账", "adjacent"),
        ("aliyun", "{name}", "whole_text"),
        ("aliyun", "餘額已變動", "traditional"),
        ("aliyun", "已发货🎉", "emoji"),
        ("aliyun", "已发货★", "characters"),
        ("tencent", "余额{balance}", "no_variables"),
        ("tencent", "支付¥20", "characters"),
        ("tencent", "您的基金已确认", "finance"),
    ],
)
def test_a_provider_adds_its_own(provider: str, text: str, rule: str) -> None:
    assert rule in rules_of(text, provider=provider)
    assert rule not in rules_of(text)


def test_a_clean_text_has_nothing_said_about_it() -> None:
    assert rules_of("您的余额为{balance}元。", provider="aliyun") == set()
    assert rules_of("Your balance is {balance}.", region="US", provider="twilio") == set()


def test_a_chinese_provider_says_nothing_of_foreign_numbers() -> None:
    assert rules_of("Shipped ★", region="US", provider="tencent") == set()


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("详见https://a.shop.cn/m?x=1。谢谢", "link", "a.shop.cn/m?x=1"),
        ("Visit WWW.Shop.com/Sale now", "link", "www.shop.com/sale"),
        ("请点shop.cn/a查看", "link", "shop.cn/a"),
        ("电话400-820-8820。", "phone", "4008208820"),
        ("拨13800138000", "phone", "13800138000"),
    ],
)
def test_a_contact_is_found_where_it_stands(text: str, kind: str, value: str) -> None:
    [found] = contacts_in(text)
    assert (found.kind, found.value) == (kind, value)


def test_a_balance_is_no_phone_number() -> None:
    assert contacts_in("余额12,300.00元，订单20261122，卡尾号8899") == []


@pytest.mark.parametrize(
    ("text", "service", "offer"),
    [
        (
            "您已消费{amount}，余额{balance}。现在充值500送80！",
            "您已消费{amount}，余额{balance}。",
            "现在充值500送80！",
        ),
        (
            "Your order has shipped. Enjoy 20% off your next one.",
            "Your order has shipped.",
            "Enjoy 20% off your next one.",
        ),
        ("您的预约已确认，到店享八折", "您的预约已确认。", "到店享八折"),
    ],
)
def test_a_half_and_half_text_is_split(text: str, service: str, offer: str) -> None:
    proposed = split(text)

    assert proposed is not None
    assert (proposed.service, proposed.offer) == (service, offer)
    assert not lint(proposed.service).needs_review


@pytest.mark.parametrize("text", ["全场八折！", "您的余额为{balance}元。", "生日快乐，祝您青春永驻。"])
def test_what_is_wholly_one_thing_is_not_split(text: str) -> None:
    assert split(text) is None


@pytest.mark.parametrize("name", ["李雷", "Anna Deal", "Lucky Chan", "Tom Free", "欧阳特价", "Grace Sale"])
def test_people_may_be_called_what_they_like(name: str) -> None:
    assert not smuggles(name, is_name=True)


@pytest.mark.parametrize("name", ["全场5折速来", "限时抢购优惠", "50% off deals now"])
def test_an_offer_is_nobodys_name(name: str) -> None:
    assert smuggles(name, is_name=True)


@pytest.mark.parametrize(("value", "is_offer"), [("全场五折", True), ("Room 12", False), ("剪发", False)])
def test_a_value_from_outside_may_not_bring_an_offer(value: str, is_offer: bool) -> None:
    assert smuggles(value) is is_offer
