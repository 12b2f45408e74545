"""Geometry of the small charts, as SVG attributes: the content policy forbids inline styles."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
SPARK_WIDTH, SPARK_HEIGHT = 100, 32


def spark(values: Sequence[float]) -> dict[str, Any]:
    """Points of a line through `values`, its area, and the last point; empty below two values."""
    if len(values) < 2:
        return {}
    low, high = min(values), max(values)
    step = SPARK_WIDTH / (len(values) - 1)
    room = SPARK_HEIGHT - 6
    points = [(i * step, 3 + room - room * (v - low) / ((high - low) or 1)) for i, v in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return {
        "line": line,
        "area": f"0,{SPARK_HEIGHT} {line} {SPARK_WIDTH},{SPARK_HEIGHT}",
        "x": f"{points[-1][0]:.1f}",
        "y": f"{points[-1][1]:.1f}",
    }


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%" if whole > 0 else "0%"


def share(part: float, whole: float) -> str:
    """The width of a part of a whole, as an SVG attribute; never more than all of it."""
    return _percent(min(max(part, 0), whole), whole)


def bars(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Each row (label, value) with its width as a share of the longest."""
    longest = max((row["value"] for row in rows), default=0)
    return [{**row, "width": _percent(row["value"], longest)} for row in rows]


def waterfall(start: Row, cuts: Sequence[Row], end: Row) -> list[dict[str, Any]]:
    """From `start` through every cut to `end`, each (label, value). A cut hangs where the last one stopped.

    The picture adds up only when start − Σ cuts = end; numbers that do not are refused with ValueError.
    """
    if start["value"] - sum(cut["value"] for cut in cuts) != end["value"]:
        raise ValueError("The cuts do not lead from the start to the end.")
    whole, left = start["value"], start["value"]
    rows: list[dict[str, Any]] = [{**start, "offset": "0%", "width": "100%"}]
    for cut in cuts:
        left -= cut["value"]
        rows.append(
            {**cut, "is_cut": True, "offset": _percent(left, whole), "width": _percent(cut["value"], whole)}
        )
    return [*rows, {**end, "is_total": True, "offset": "0%", "width": _percent(end["value"], whole)}]


def columns(values: Sequence[float]) -> list[dict[str, str]]:
    """Upright bars over 100 × 100 units, one a value."""
    tallest, slot = max(values, default=0) or 1, 100 / (len(values) or 1)
    return [_column(i * slot, slot, 100 * value / tallest) for i, value in enumerate(values)]


def _column(left: float, slot: float, height: float) -> dict[str, str]:
    gap = slot * 0.12
    place = {"x": left + gap, "y": 100 - height, "width": slot - 2 * gap, "height": height}
    return {name: f"{number:.2f}" for name, number in place.items()}
