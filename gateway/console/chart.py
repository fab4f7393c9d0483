"""Bars as SVG, drawn by the template: no script, and a sentence for those who do not see them."""

from collections.abc import Sequence

import msgspec

WIDTH, HEIGHT = 480, 80


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar in the chart's own units, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: float


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Bars, with what a sentence about them needs."""

    bars: tuple[Bar, ...]
    total: float
    highest: float
    #: where the highest bar stands
    at: str
    first: str
    last: str


def bars(values: Sequence[float], labels: Sequence[str]) -> Chart:
    """One bar per value, scaled to the highest.

    >>> bars([1, 4], ["a", "b"]).bars[0].height
    20.0
    """
    highest = max(values, default=0.0)
    step = WIDTH / max(len(values), 1)
    drawn = [
        Bar(
            x=round(n * step, 2),
            y=round(HEIGHT - _height(value, highest), 2),
            width=round(step * 0.8, 2),
            height=_height(value, highest),
            label=label,
            value=value,
        )
        for n, (value, label) in enumerate(zip(values, labels, strict=True))
    ]
    at = next((bar.label for bar in drawn if bar.value == highest and highest), "")
    return Chart(
        bars=tuple(drawn), total=sum(values), highest=highest, at=at, first=labels[0] if labels else "",
        last=labels[-1] if labels else "",
    )  # fmt: skip


def _height(value: float, highest: float) -> float:
    return round(HEIGHT * value / highest, 2) if highest else 0.0
