"""Service or promotion: labelled texts in both languages stand in texts/industry.txt and texts/marketing.txt."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import linter_learning
from messaging.lexicon import RULES
from messaging.lexicon.likeness import LIKE_A_SERVICE, LIKE_AN_OFFER, UNKNOWN, WEIGHTS, likeness
from messaging.lexicon.rule import LABELS
from messaging.linter import lint


def _texts(name: str) -> list[str]:
    lines = (Path(__file__).parent / "texts" / f"{name}.txt").read_text("utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in lines]


INDUSTRY, MARKETING = _texts("industry"), _texts("marketing")


@pytest.mark.parametrize("text", MARKETING)
def test_no_marketing_text_passes_as_industry(text: str) -> None:
    verdict = lint(text)

    assert verdict.needs_review
    assert verdict.findings


@pytest.mark.parametrize("text", INDUSTRY)
def test_no_industry_text_is_called_promotional(text: str) -> None:
    verdict = lint(text)

    assert not verdict.is_promotional, verdict.findings


def test_at_most_one_industry_text_in_ten_needs_a_reviewer() -> None:
    held = [text for text in INDUSTRY if lint(text).needs_review]
    assert len(held) <= len(INDUSTRY) / 10, held


def test_three_in_five_marketing_texts_are_recognised_without_a_reviewer() -> None:
    recognised = [text for text in MARKETING if lint(text).is_promotional]
    assert len(recognised) >= len(MARKETING) * 3 / 5


@pytest.mark.parametrize(
    ("text", "message_class"),
    [
        ("验证码：482913，5分钟内有效，请勿泄露。", "verification"),
        ("Your login code is 482913. It expires in 5 minutes.", "verification"),
        ("您的验证码是{code}，5分钟内有效。", "verification"),
        ("482913 is your payment code.\n@shop.example #482913", "verification"),
        ("您的会员卡已消费{amount}，余额{balance}。", "notification"),
        ("Your order #5521 has shipped.", "notification"),
        ("您的会员卡已开卡成功，卡号尾号8899。", "trigger"),
        ("Sorry we missed your call. We will call you back.", "trigger"),
        ("欢迎入住云水酒店，您的房间为1208。", "trigger"),
        ("全场8折，限时三天！", "marketing"),
    ],
)
def test_the_class_follows_the_words(text: str, message_class: str) -> None:
    verdict = lint(text)

    assert verdict.message_class == message_class
    assert verdict.is_promotional is (message_class == "marketing")
    assert verdict.needs_review is (message_class == "marketing")


@pytest.mark.parametrize(
    "leave",
    [
        "祝您生活愉快",
        "祝您旅途愉快",
        "谢谢惠顾",
        "祝您早日康复",
        "Have a nice day",
        "Take care",
        "Kind regards",
        "感谢您的支持",
    ],
)
@pytest.mark.parametrize(
    "fact", ["您本次消费120.00元，余额380.00元。", "You paid 120.00 at Riverside. Balance 380.00. "]
)
def test_a_service_text_may_be_polite(fact: str, leave: str) -> None:
    assert not lint(fact + leave + "。").needs_review
    assert lint("全场8折，限时三天！" + leave + "。").is_promotional


def test_a_finding_points_into_the_original_text_and_says_why() -> None:
    text = "【小满】您的预约已确认。全 场 优-惠，快来！"

    verdict = lint(text)

    words = {finding.word for finding in verdict.findings}
    assert "优-惠" in words
    assert all(text[finding.start : finding.end] == finding.word for finding in verdict.findings)
    assert all(finding.rule and finding.source and str(finding.suggestion) for finding in verdict.findings)


@pytest.mark.parametrize(
    ("fact", "offer"),
    [
        ("您已成功充值500元，赠送80元，余额580元。", "您已消费120元，余额380元。现在充值500送80。"),
        ("消费100元，会员优惠20元，实付80元。", "消费100元即享优惠20元。"),
        ("You recharged ¥500 and received ¥80 bonus. Balance ¥580.", "Recharge ¥500 and get ¥80 bonus."),
        ("您有500积分将于12月31日到期。", "您有500积分将于12月31日到期，快来兑换好礼。"),
        ("您的优惠券已核销，实付88元。", "您有一张20元优惠券即将过期。"),
        ("您对本次服务是否满意？请回复1-5评分。", "回复1-5评分，五星好评返现5元。"),
        ("请勿转发验证码482913。", "转发给好友，双方得红包。"),
        ("春节期间本店暂停营业。", "春节快乐！"),
    ],
)
def test_a_fact_passes_and_the_offer_beside_it_does_not(fact: str, offer: str) -> None:
    assert not lint(fact).needs_review
    assert lint(offer).is_promotional


@pytest.mark.parametrize(
    "text",
    [
        "The sale jacket you ordered on the 21st was handed to your neighbour at no. 14.",
        "Staff error: the lunch discount was missed on bill 3317, so 8.40 has been put back on your card.",
        "您购买的特价猫粮因批次召回，可凭小票全额退款，请停止喂食。",
        "您昨日多付的优惠差价56元已退回微信账户，请查收。",
        "会员日当天盘点，分店16点提前打烊，已预约的客人我们会逐个电话联系。",
    ],
)
def test_what_only_names_an_offer_in_a_settled_fact_is_service(text: str) -> None:
    assert not lint(text).needs_review


@pytest.mark.parametrize(
    "text",
    [
        "The sale jacket you ordered was delivered. The whole rail is 30% off till Sunday.",
        "您购买的特价猫粮已发货，再买一袋立减20元。",
        "您的退款已到账，本店会员日全场八折，快来。",
    ],
)
def test_a_settled_fact_hides_no_offer_beside_it(text: str) -> None:
    assert lint(text).is_promotional


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Your order has shipped. 20% 0ff tmr", "0ff"),
        ("Your order has shipped. S-A-L-E now", "S-A-L-E"),
        ("Rate us n get late checkout nxt time", "nxt time"),
    ],
)
def test_short_forms_and_spelled_out_letters_are_read_as_their_words(text: str, word: str) -> None:
    verdict = lint(text)

    assert verdict.needs_review
    assert any(word in finding.word for finding in verdict.findings)
    assert all(text[finding.start : finding.end] == finding.word for finding in verdict.findings)


@pytest.mark.parametrize(
    "tail",
    [
        "加微信领红包",
        "拒收请回复R",
        "期待您的到来",
        "祝您新年快乐",
        "详情戳 http://t.cn/x",
        "Reply STOP to opt out",
    ],
)
def test_promotion_as_a_tail_makes_the_whole_text_marketing(tail: str) -> None:
    assert lint(f"您的订单已发货，单号SF1234567890。{tail}").is_promotional


@pytest.mark.parametrize("trick", ["优惠", "优 惠", "优-惠", "優惠", "优\u200b惠", "优·惠", "优 . 惠"])
def test_tricks_between_the_characters_do_not_help(trick: str) -> None:
    assert lint(f"您的预约已确认，到店{trick}。").is_promotional


@pytest.mark.parametrize(
    "text",
    [
        "验证码482913，详见 https://shop.example/a",
        "您的验证码482913，如有问题联系13800138000",
        "Your login code is 482913. Questions: 400-820-8820",
    ],
)
def test_a_code_with_a_link_or_contact_goes_to_a_reviewer(text: str) -> None:
    verdict = lint(text)

    assert verdict.message_class == "verification"
    assert verdict.needs_review
    assert {finding.rule for finding in verdict.findings} == {"code_with_link"}


def test_a_shop_may_be_called_what_it_likes() -> None:
    assert not lint("【优惠购超市】您的订单已发货，单号SF1234567890。").needs_review


def test_decoration_counts_in_china_only() -> None:
    text = "Your order has shipped 🎉"
    assert lint(text, region="CN").needs_review
    assert not lint(text, region="US").needs_review


def test_a_text_that_names_no_service_has_the_strictest_class() -> None:
    verdict = lint("Rain makes us think of ramen.")

    assert verdict.message_class == "marketing"
    assert verdict.needs_review
    assert not verdict.is_promotional


@pytest.mark.parametrize(
    "name", [*(rule.name for rule in RULES), "code_with_link", "like_an_offer", "no_service_content"]
)
def test_every_rule_has_words_for_its_readers(name: str) -> None:
    assert LABELS[name]


@given(st.text(max_size=400))
def test_any_text_gets_a_verdict_with_true_spans(text: str) -> None:
    for finding in lint(text).findings:
        assert text[finding.start : finding.end] == finding.word


def _labelled(name: str) -> tuple[list[str], list[str]]:
    """(service, marketing) of a corpus: label, language, trade and text by tabs."""
    lines = (Path(__file__).parent / "texts" / f"{name}.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    texts = [(row[0], row[3].replace("\\n", "\n")) for row in rows]
    return [text for kind, text in texts if kind == "industry"], [
        text for kind, text in texts if kind == "marketing"
    ]


# The texts of ten trades in both languages. What each measured before it was learned from: docs/message-classes.md.
CORPORA = ("corpus", "corpus_fresh", "corpus_last", "corpus_unseen", "corpus_halves", "corpus_sealed")


@pytest.mark.parametrize("name", CORPORA)
def test_of_the_labelled_texts_at_most_one_offer_in_fifty_passes_and_one_service_text_in_ten_waits(
    name,
) -> None:
    service, marketing = _labelled(name)

    passed = [text for text in marketing if not lint(text).needs_review]
    held = [text for text in service if lint(text).needs_review]
    refused = [text for text in service if lint(text).is_promotional]
    assert len(passed) <= len(marketing) / 50, passed
    assert len(held) <= len(service) / 10, held
    assert not refused


NEWER = (
    "corpus_halves",
    "corpus_sealed",
    "corpus_learning",
    "corpus_hands",
    "corpus_styles",
    "corpus_check_1",
    "corpus_check_2",
)


@pytest.mark.parametrize("name", NEWER)
def test_no_offer_of_the_newer_texts_passes_and_one_service_text_in_ten_waits(name: str) -> None:
    service, marketing = _labelled(name)

    assert [text for text in marketing if not lint(text).needs_review] == []
    assert sum(lint(text).needs_review for text in service) <= len(service) / 10


def test_the_second_reader_has_learned_what_the_labelled_texts_teach() -> None:
    """After new texts: python -m messaging.linter_learning tests/messaging/texts."""
    taught = linter_learning.learned(linter_learning.labelled(Path(__file__).parent / "texts"))
    rows = (line.rpartition("\t") for line in WEIGHTS.read_text("utf-8").splitlines())
    kept = {feature: float(weight) for feature, _tab, weight in rows}

    assert {
        one for one in taught.keys() | kept.keys() if abs(taught.get(one, 0) - kept.get(one, 0)) > 0.11
    } == set()


def test_the_second_reader_never_lifts_an_offer_a_rule_knows() -> None:
    text = "您的卡尾号1234已于今日消费，余额380元。全场8折。"

    assert lint(text).is_promotional


def test_of_a_text_it_knows_nothing_of_the_second_reader_says_nothing() -> None:
    assert likeness("qwxz vbnq") == UNKNOWN
    assert LIKE_A_SERVICE < UNKNOWN < LIKE_AN_OFFER


def test_a_soft_sell_without_a_word_of_any_list_is_held_with_its_sentence() -> None:
    text = "您的订单已送达。想不到吧，隔壁的奶茶也很好喝，今晚来坐坐。"

    assert lint(text).needs_review
    assert all(text[finding.start : finding.end] == finding.word for finding in lint(text).findings)


def test_the_texts_once_unseen_are_judged_no_worse_than_they_were_measured() -> None:
    service, marketing = _labelled("corpus_unseen")

    assert [text for text in marketing if not lint(text).needs_review] == []
    assert sum(lint(text).needs_review for text in service) <= 6
    assert not any(lint(text).is_promotional for text in service)


def test_on_texts_that_nobody_may_learn_from_it_gets_no_worse() -> None:
    """By other hands, kept apart for good: the honest figure, beside the bars of none and one in ten (docs)."""
    lines = (Path(__file__).parent / "texts" / "apart_outbound.tsv").read_text("utf-8").splitlines()
    texts = [(label, text) for label, _, _, text in (line.split("\t") for line in lines)]

    passed = [text for label, text in texts if label == "marketing" and not lint(text).needs_review]
    held = [text for label, text in texts if label == "industry" and lint(text).needs_review]

    assert (len(passed), len(held)) <= (1, 22), (passed, held)
