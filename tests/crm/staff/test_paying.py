"""Bills, refunds and holds at the till, as a cashier's browser sends them. Money in fen (1/100 yuan)."""

from datetime import timedelta

import pytest
from constance.test import override_config
from django.urls import reverse
from django.utils import timezone

from members.domain.cards import open_card
from members.domain.coupons import issue
from members.domain.holds import authorise
from members.domain.rewards import redeem_points
from members.models import BillLine, CouponDefinition, GoodsCategory, Hold, Operation, Reward, StoreAcceptance
from messaging.domain.verification import ask_code
from messaging.enums import CodePurpose
from messaging.models import Message, VerificationCode
from tests.conftest import employ
from tests.crm.staff.conftest import at_work, balance_of, queries_of, send, text_of, words_of


def points_of(card) -> int:
    return card.member.accounts.get(kind="points").balance


@pytest.fixture
def hold(loaded_card, at_till, riverside) -> Hold:
    """200.00 of Li Lei's 500.00, held for Friday."""
    now = timezone.now()
    outcome = authorise(
        actor=at_till,
        key="hold",
        at=now,
        store=riverside,
        card=loaded_card,
        amount_minor=20000,
        until=now + timedelta(days=2),
        reason="Friday, 14:00",
    )
    return outcome.operation.hold


def test_a_bill_by_the_card_and_two_tenders_each_with_its_reference(cashier, loaded_card):
    send(
        cashier,
        "spend",
        loaded_card,
        amount="200",
        outside="50",
        tender="wechat",
        reference="wx-1",
        also="30",
        also_tender="alipay",
        also_reference="ali-1",
    )

    sale = Operation.objects.get(kind="spend")
    assert list(sale.tenders.values_list("type", "amount_minor", "reference")) == [
        ("wechat", 5000, "wx-1"),
        ("alipay", 3000, "ali-1"),
    ]
    assert balance_of(loaded_card) == 50000 - 12000


def test_points_pay_at_the_till(cashier, loaded_card):
    type(loaded_card.product).objects.update(point_value_minor=100)
    send(cashier, "spend", loaded_card, amount="300")

    page = text_of(cashier.get(reverse("staff:spend", args=[loaded_card.public_id])))
    send(cashier, "spend", loaded_card, amount="100", points="300")

    assert "Points: 300, 100 pay ¥1.00" in page
    assert (balance_of(loaded_card), points_of(loaded_card)) == (50000 - 30000 - 9700, 97)


def test_what_points_paid_and_what_comes_back_as_points_is_told_in_money(cashier, manager, loaded_card):
    type(loaded_card.product).objects.update(point_value_minor=100)
    send(cashier, "spend", loaded_card, amount="300")
    send(cashier, "spend", loaded_card, amount="100", points="200")
    sale = Operation.objects.filter(kind="spend").latest("pk")
    send(manager, "refund", loaded_card, operation=str(sale.public_id), amount="100", reason="stained")

    sold, returned = (
        words_of(cashier.get(reverse("staff:till_operation", args=[deed.public_id])))
        for deed in (sale, Operation.objects.get(kind="refund"))
    )

    assert "Points used (200) ¥2.00 From the card ¥98.00" in sold
    assert "Points given back (200) ¥2.00" in returned


@pytest.mark.parametrize(
    ("points", "says"), [("9000", "There are not that many points."), ("x", "Enter a whole number.")]
)
def test_points_that_are_not_there_are_refused_beside_the_points(cashier, loaded_card, points, says):
    type(loaded_card.product).objects.update(point_value_minor=100)

    response = send(cashier, "spend", loaded_card, amount="100", points=points)

    assert response.status_code == 422
    assert says in text_of(response)
    assert balance_of(loaded_card) == 50000


def test_a_coupon_takes_its_amount_off(cashier, loaded_card, riverside, at_till):
    definition = CouponDefinition.objects.create(name="20 off", off_minor=2000)
    now = timezone.now()
    coupon = issue(
        definition=definition, member=loaded_card.member, store=riverside, actor=at_till, key="c", at=now
    )

    page = text_of(cashier.get(reverse("staff:spend", args=[loaded_card.public_id])))
    first = send(cashier, "spend", loaded_card, once="the-same-form", amount="100", coupon=coupon.pk)
    second = send(cashier, "spend", loaded_card, once="the-same-form", amount="100", coupon=coupon.pk)

    assert "20 off" in page
    assert first.url == second.url
    assert balance_of(loaded_card) == 42000


def test_what_was_bought_is_kept_line_by_line(cashier, loaded_card):
    colour = GoodsCategory.objects.create(name="Colour")

    send(cashier, "spend", loaded_card, amount="100", goods0=colour.pk, part0="60", part1="30", reduced1="on")

    rows = BillLine.objects.values_list("category__name", "amount_minor", "is_discounted")
    assert list(rows) == [("Colour", 6000, False), (None, 3000, True), (None, 1000, False)]


def test_parts_above_the_bill_are_refused(cashier, loaded_card):
    GoodsCategory.objects.create(name="Colour")

    response = send(cashier, "spend", loaded_card, amount="100", part0="60", part1="60")

    assert response.status_code == 422
    assert "The parts are more than the bill." in text_of(response)


def test_the_forecast_shows_the_split_before_anything_is_done(cashier, loaded_card):
    where = reverse("staff:spend_forecast", args=[loaded_card.public_id])

    page = text_of(cashier.post(where, {"amount": "620", "tender": "cash"}))

    assert "¥120.00" in page and "¥500.00" in page
    assert balance_of(loaded_card) == 50000


# Acceptance


def test_the_till_says_how_much_is_usable_here_and_why(loaded_card, riverside, hilltop):
    StoreAcceptance.objects.create(issuer=riverside, server=hilltop, takes_principal=False)
    roaming = employ(hilltop, "rou", "cashier")
    employ_too = roaming.roles.model.objects.create
    employ_too(staff=roaming, store=riverside, role="cashier")
    client = at_work(roaming)
    session = client.session
    session["store_id"] = hilltop.pk
    session.save()

    page = text_of(client.get(reverse("staff:spend", args=[loaded_card.public_id])))
    forecast = client.post(
        reverse("staff:spend_forecast", args=[loaded_card.public_id]),
        {"amount": "100", "tender": "cash", "outside": "1"},
    )

    assert "Usable here: ¥0.00 of ¥500.00" in page
    assert "¥500.00 was sold by a store whose value is not taken here." in page
    assert "Usable for this bill: ¥0.00 of ¥500.00." in text_of(forecast)


# The member's code


@override_config(SPEND_CODE_ABOVE_MINOR=10000)
def test_above_the_limit_nothing_is_paid_without_the_members_code(cashier, loaded_card):
    response = send(cashier, "spend", loaded_card, amount="150")

    assert response.status_code == 422
    assert "So much from the card needs the member’s code." in text_of(response)
    assert balance_of(loaded_card) == 50000


@override_config(SPEND_CODE_ABOVE_MINOR=10000)
def test_the_members_code_lets_the_payment_through_once(cashier, loaded_card):
    where = reverse("staff:send_code", args=[loaded_card.public_id])
    sent = text_of(cashier.post(where))
    code = "".join(char for char in Message.objects.get().text if char.isdigit())[:6]

    wrong = send(cashier, "spend", loaded_card, amount="150", code="000000" if code != "000000" else "111111")
    right = send(cashier, "spend", loaded_card, amount="150", code=code)
    again = send(cashier, "spend", loaded_card, amount="150", code=code)

    assert "Sent to" in sent and code not in sent
    assert VerificationCode.objects.get().purpose == "pay"
    assert (wrong.status_code, right.status_code, again.status_code) == (422, 302, 422)
    assert "This is not the code." in text_of(wrong) and "This code is over." in text_of(again)
    assert Operation.objects.get(kind="spend").request["is_confirmed"] is True
    assert balance_of(loaded_card) == 35000


@override_config(SPEND_CODE_ABOVE_MINOR=10000)
def test_a_log_in_code_pays_nothing(cashier, loaded_card):
    member = loaded_card.member
    asked = {"phone": member.phone, "purpose": CodePurpose.LOGIN, "language": "en", "store": None}
    ask_code(**asked, at=timezone.now(), ip="203.0.113.7")
    code = "".join(char for char in Message.objects.get().text if char.isdigit())[:6]

    response = send(cashier, "spend", loaded_card, amount="150", code=code)

    assert response.status_code == 422
    assert balance_of(loaded_card) == 50000


def test_a_second_code_within_a_minute_is_refused_in_words(cashier, loaded_card):
    where = reverse("staff:send_code", args=[loaded_card.public_id])
    cashier.post(where)

    assert "Too many codes were asked for this number." in text_of(cashier.post(where))
    assert Message.objects.count() == 1


def test_one_till_sends_codes_to_more_than_five_members_an_hour(
    cashier, loaded_card, enrol, product, at_till, riverside
):
    for n in range(7):
        member = enrol(f"1390013900{n}")
        card, _ = open_card(
            actor=at_till, key=f"o{n}", at=timezone.now(), store=riverside, member=member, product=product
        )
        assert "Sent to" in text_of(cashier.post(reverse("staff:send_code", args=[card.public_id])))


@override_config(SPEND_CODE_ABOVE_MINOR=10000)
def test_the_forecast_says_that_the_code_will_be_needed(cashier, loaded_card):
    where = reverse("staff:spend_forecast", args=[loaded_card.public_id])

    page = text_of(cashier.post(where, {"amount": "150", "tender": "cash"}))

    assert "needs the member’s code" in page and "¥350.00" in page


# Refunds


def test_the_refund_shows_what_each_part_gives_back_before_it_is_done(manager, cashier, loaded_card):
    send(cashier, "spend", loaded_card, amount="600", tender="wechat")
    sale = Operation.objects.get(kind="spend")
    where = reverse("staff:refund_forecast", args=[loaded_card.public_id])

    page = text_of(manager.post(where, {"operation": sale.public_id, "amount": "300"}))

    assert "Back to the card" in page and "¥250.00" in page
    assert "Hand out: WeChat Pay" in page and "¥50.00" in page
    assert balance_of(loaded_card) == 0


def test_a_reward_is_taken_back_whole(manager, cashier, loaded_card, at_till, riverside):
    send(cashier, "spend", loaded_card, amount="300")
    reward = Reward.objects.create(name="Head massage", points=250)
    handed = redeem_points(
        actor=at_till, key="r", at=timezone.now(), store=riverside, card=loaded_card, reward=reward
    ).operation

    page = text_of(manager.get(reverse("staff:refund", args=[loaded_card.public_id])))
    send(manager, "refund", loaded_card, operation=handed.public_id)
    after = text_of(manager.get(reverse("staff:refund", args=[loaded_card.public_id])))

    assert "Points redeemed: Head massage" in page and "Head massage" not in after
    assert points_of(loaded_card) == 300


def test_a_spend_of_another_card_is_not_refunded_here(manager, cashier, loaded_card, hold):
    response = send(manager, "refund", loaded_card, operation=hold.operation.public_id)

    assert response.status_code == 422


# Holds


def test_value_is_held_until_the_end_of_a_day(cashier, loaded_card):
    response = send(cashier, "hold_value", loaded_card, amount="200", days="1", reason="Friday, 14:00")

    hold = Hold.objects.get()
    assert response.status_code == 302
    assert (hold.amount_minor, hold.reason, hold.status) == (20000, "Friday, 14:00", "open")
    local = hold.expires_at.astimezone(hold.store.zone)
    assert (local.hour, local.minute) == (0, 0) and hold.expires_at > timezone.now() + timedelta(days=1)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"amount": "600", "days": "1", "reason": "x"}, "There is not that much on the card to hold."),
        ({"amount": "100", "days": "9", "reason": "x"}, "Select a valid choice"),
        ({"amount": "100", "days": "1"}, "This field is required."),
        ({"amount": "0", "days": "1", "reason": "x"}, "more than zero"),
    ],
)
def test_holds_that_the_till_does_not_take(cashier, loaded_card, fields, says):
    response = send(cashier, "hold_value", loaded_card, **fields)

    assert response.status_code == 422
    assert says in text_of(response)
    assert not Hold.objects.exists()


def test_the_panel_shows_open_holds_with_their_two_ends(cashier, hold):
    page = text_of(cashier.get(reverse("staff:till_member", args=[hold.card.member.public_id])))

    assert "Friday, 14:00" in page
    assert reverse("staff:release_hold", args=[hold.public_id]) in page
    assert f"?hold={hold.public_id}" in page


def test_a_hold_is_captured_by_a_bill(cashier, hold, loaded_card):
    page = text_of(
        cashier.get(reverse("staff:spend", args=[loaded_card.public_id]) + f"?hold={hold.public_id}")
    )
    send(cashier, "spend", loaded_card, amount="120", hold=hold.public_id)

    hold.refresh_from_db()
    assert "Captures the hold of ¥200.00: Friday, 14:00" in page
    assert "Beside what is held the card pays up to ¥300.00" in page
    assert (hold.status, balance_of(loaded_card)) == ("captured", 38000)


def test_a_hold_that_has_ended_is_not_captured_again(cashier, hold, loaded_card):
    send(cashier, "release_hold", hold)

    response = send(cashier, "spend", loaded_card, amount="120", hold=hold.public_id)

    assert response.status_code == 422
    assert "This hold has ended already." in text_of(response)
    assert balance_of(loaded_card) == 50000


def test_a_hold_is_released_once(cashier, hold):
    first = send(cashier, "release_hold", hold, once="the-same-form")
    second = send(cashier, "release_hold", hold, once="the-same-form")
    other = send(cashier, "release_hold", hold)

    hold.refresh_from_db()
    assert first.url == second.url
    assert (hold.status, other.status_code) == ("released", 422)


def test_what_is_held_is_not_offered_for_a_bill(cashier, hold, loaded_card):
    page = text_of(cashier.get(reverse("staff:spend", args=[loaded_card.public_id])))

    assert "The card pays up to ¥300.00" in page


def test_holds_and_codes_of_another_store_do_not_exist(stranger, hold, loaded_card):
    assert send(stranger, "release_hold", hold).status_code == 404
    assert send(stranger, "hold_value", loaded_card, amount="1", days="1", reason="x").status_code == 404
    assert stranger.post(reverse("staff:send_code", args=[loaded_card.public_id])).status_code == 404
    hold.refresh_from_db()
    assert hold.status == "open"


def test_an_auditor_holds_nothing(auditor, loaded_card):
    assert send(auditor, "hold_value", loaded_card, amount="1", days="1", reason="x").status_code == 403


def test_the_panel_asks_as_often_for_three_holds_as_for_one(cashier, hold, loaded_card, at_till, riverside):
    where = reverse("staff:till_member", args=[loaded_card.member.public_id])
    one = queries_of(cashier, where)
    for n in range(2):
        now = timezone.now()
        authorise(
            actor=at_till,
            key=f"h{n}",
            at=now,
            store=riverside,
            card=loaded_card,
            amount_minor=1000,
            until=now + timedelta(days=1),
            reason="x",
        )

    assert queries_of(cashier, where) == one
