"""The small charts add up, and say so when the numbers do not."""

import pytest

from crm.shell.charts import columns, spark, waterfall


def test_each_cut_hangs_where_the_last_one_stopped():
    rows = waterfall(
        {"label": "Audience", "value": 200},
        [{"label": "No consent", "value": 50}, {"label": "Capped", "value": 30}],
        {"label": "Will be sent", "value": 120},
    )

    assert [(row["offset"], row["width"]) for row in rows] == [
        ("0%", "100%"),
        ("75.00%", "25.00%"),
        ("60.00%", "15.00%"),
        ("0%", "60.00%"),
    ]


def test_a_waterfall_that_does_not_add_up_is_refused():
    with pytest.raises(ValueError, match="do not lead"):
        waterfall(
            {"label": "Audience", "value": 10},
            [{"label": "Capped", "value": 3}],
            {"label": "Sent", "value": 8},
        )


def test_an_empty_audience_draws_nothing_and_does_not_fail():
    rows = waterfall({"label": "Audience", "value": 0}, [], {"label": "Sent", "value": 0})

    assert rows[-1]["width"] == "0%"


@pytest.mark.parametrize("values", [[], [4]])
def test_a_spark_line_needs_two_points(values):
    assert spark(values) == {}


def test_the_tallest_column_fills_the_height():
    assert [column["height"] for column in columns([5, 10, 0])] == ["50.00", "100.00", "0.00"]
    assert columns([]) == []
