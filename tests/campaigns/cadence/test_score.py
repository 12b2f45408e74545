"""The wake-up score: its formulas against simulation, its manners at the edges, its fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from campaigns.cadence import fitting
from campaigns.cadence.renewal import Population, Process
from campaigns.cadence.rhythm import Rhythm
from campaigns.cadence.score import Model, UnreadableModel
from campaigns.cadence.simulate import Salon, visits_of
from campaigns.cadence.statistics import Statistics, Visits

SALON = Rhythm(centre=float(np.log(42)), within=0.09, between=0.09)
WHO = Population(r=3.0, scale=120.0, a=1.5, b=6.0)
SLOW = Population(r=3.0, scale=120_000.0, a=1.5, b=6.0)  # rounding to whole days does not matter
TODAY = 720


def statistics_of(*gaps: int, since: int) -> Statistics:
    logs = np.log(gaps) if gaps else np.zeros(0)
    return Statistics([len(gaps)], [sum(gaps)], [sum(gaps) + since], [logs.sum()], [(logs**2).sum()])


def lived(regularity: float, members: int, known_days: int, horizon_days: int) -> Visits:
    """Members drawn from the very process the formulas describe, all first seen on day 0."""
    random = np.random.default_rng(5)
    rate = random.gamma(SLOW.r, regularity / SLOW.scale, (members, 1))
    stays = random.geometric(random.beta(SLOW.a, SLOW.b, members))
    times = np.cumsum(random.gamma(regularity, 1 / rate, (members, 150)), axis=1)
    times = np.concatenate([np.zeros((members, 1)), times], axis=1)
    came = (np.arange(151) < stays[:, None]) & (times < known_days + horizon_days)
    member, place = np.nonzero(came)
    return Visits.from_purchases(member, np.ceil(times[member, place]).astype(np.int64))


@pytest.mark.parametrize("regularity", [0.6, 1.0, 6.0])
def test_the_formulas_agree_with_twenty_thousand_simulated_members(regularity):
    known, ahead = 300_000, 150_000
    history = lived(regularity, 20_000, known, ahead)
    then = history.until(known)
    process = Process(SLOW, regularity, then.statistics(known))
    later = history.count_between(then, known, known + ahead)

    assert process.probability_of_return(ahead).sum() == pytest.approx((later > 0).sum(), rel=0.03)
    assert process.expected_purchases(ahead).sum() == pytest.approx(later.sum(), rel=0.03)


@pytest.mark.parametrize(
    "kinds",
    [((1.0,), (1.0,)), ((0.6,), (1.0,)), ((1.0, 4.0, 16.0), (0.3, 0.3, 0.4))],
    ids=["random", "bursts", "mixture"],
)
def test_any_possible_history_gets_a_probability(kinds):
    """One visit today, a decade away, daily for years, two visits a day apart, ten years between two."""
    columns = [
        statistics_of(since=0),
        statistics_of(since=3650),
        statistics_of(*[1] * 2000, since=1),
        statistics_of(*[1] * 2000, since=900),
        statistics_of(1, since=3000),
        statistics_of(3650, since=0),
    ]
    everyone = Statistics(
        *(np.concatenate(column) for column in zip(*(c.columns for c in columns), strict=True))
    )
    model = Model(WHO, *kinds, SALON)

    for chance in (model.probability_of_return(everyone, 84), model.probability_alive(everyone)):
        assert np.isfinite(chance).all()
        assert ((chance >= 0) & (chance <= 1)).all()
    assert (model.expected_purchases(everyone, 84) >= model.probability_of_return(everyone, 84) - 1e-9).all()
    assert np.isfinite(model.log_likelihood(everyone)).all()


def test_a_longer_horizon_is_never_less_likely():
    model = Model(WHO, (1.0, 10.0), (0.5, 0.5), SALON)
    ana = statistics_of(40, 44, 42, since=30)

    chances = [model.probability_of_return(ana, days)[0] for days in (1, 7, 28, 84, 365)]

    assert chances == sorted(chances)


def test_ana_who_comes_like_clockwork_is_missed_sooner_than_ben_who_does_not():
    """Both came five times in 168 days and were last seen 95 days ago."""
    model = Model(WHO, (1.0, 16.0), (0.5, 0.5), SALON)

    ana = model.probability_of_return(statistics_of(42, 43, 41, 42, since=95), 84)[0]
    ben = model.probability_of_return(statistics_of(5, 100, 8, 55, since=95), 84)[0]

    assert ana < 0.5 * ben


def test_a_shop_reads_usually_every_42_days_last_seen_95_ago():
    overdue = Model(WHO, (10.0,), (1.0,), SALON).overdue(statistics_of(42, 43, 41, 42, since=95))

    assert overdue.usual_gap_days[0] == pytest.approx(42, abs=0.5)
    assert overdue.since_days[0] == 95
    assert 50 < overdue.late_after_days[0] < 65
    assert overdue.times_late[0] > 1.4


def test_with_one_gap_a_member_is_mostly_like_the_group_with_twenty_like_themselves():
    one, twenty = (SALON.usual_gap_days(statistics_of(*[90] * n, since=1))[0] for n in (1, 20))

    assert 42 < one < 70
    assert 85 < twenty < 90


def test_a_model_survives_being_stored_as_json():
    model = Model(WHO, (1.0, 10.0), (0.25, 0.75), SALON)

    assert Model.from_dict(json.loads(json.dumps(model.to_dict()))) == model


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 2},
        {"weights": [0.2, 0.2]},
        {"population": {"r": -1, "scale": 1, "a": 1, "b": 1}},
        {"rhythm": None},
    ],
)
def test_a_damaged_model_is_refused(damage):
    stored = Model(WHO, (1.0, 10.0), (0.25, 0.75), SALON).to_dict()

    with pytest.raises(UnreadableModel):
        Model.from_dict({**stored, **damage})


def test_the_fit_finds_regular_visitors_and_is_the_same_each_time():
    shop = visits_of(Salon(noise=0.3), members=200, days=TODAY, seed=1)

    model = fitting.fit(shop, TODAY)

    assert sum(k * share for k, share in zip(model.regularities, model.weights, strict=True)) > 5
    assert np.exp(model.rhythm.centre) == pytest.approx(42, rel=0.15)
    assert model == fitting.fit(shop, TODAY)
    assert not model.is_prior


@pytest.mark.parametrize(
    "history",
    [[], [("ana", 5)], [("ana", 5), ("ana", 40)], [(f"m{n}", 3) for n in range(500)]],
    ids=["nobody", "one visit", "one member", "500 who never came back"],
)
def test_a_shop_without_history_gets_assumptions_around_its_trades_cadence(history):
    shop = Visits.from_purchases([who for who, _ in history], [day for _, day in history])

    model = fitting.fit(shop, 60, usual_gap_days=30)

    assert model.is_prior
    assert model.rhythm.usual_gap_days(statistics_of(since=9))[0] == pytest.approx(30, rel=0.05)
    fresh, stale = (
        model.probability_of_return(statistics_of(30, 30, since=days), 84)[0] for days in (20, 300)
    )
    assert fresh > 0.5 > stale


def test_forty_members_who_came_back_within_a_week_are_enough_to_fit_without_a_check():
    shop = Visits.from_purchases([f"m{n}" for n in range(40)] * 2, [0] * 40 + list(range(1, 8)) * 5 + [3] * 5)

    model = fitting.fit(shop, 9)

    assert np.isfinite(model.probability_of_return(shop.statistics(9), 84)).all()


def test_visits_after_the_day_of_scoring_change_nothing():
    shop = visits_of(Salon(), members=120, days=900, seed=2)

    assert fitting.fit(shop, TODAY) == fitting.fit(shop.until(TODAY), TODAY)
