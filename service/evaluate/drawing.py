"""The drawing of risk against coverage, as SVG."""

from collections.abc import Iterator, Sequence

from models.ruleset import RuleSet
from service.evaluate.figures import Point

WIDTH, HEIGHT, LEFT, FOOT = 640, 320, 56, 40
"""Of the drawing, in its own units."""
RIGHT = WIDTH - 12
PROMISE = 0.98
"""Drawn where the pack has no calibration."""


def curve(points: Sequence[Point], ruleset: RuleSet) -> str:
    """Risk over coverage as a drawing; steps, since every point is a real choice of certainty."""
    if not points:
        return "<p>没有可自动分派的诉求。</p>"
    calibration = ruleset.ruleset.calibration
    allowed = 1 - (calibration.promise if calibration else PROMISE)
    top = max(0.1, allowed * 1.5, *(point.risk for point in points))
    drawn = [(_x(point.coverage), _y(point.risk, top), _y(min(point.bound, top), top)) for point in points]
    band = " ".join(f"{x:.1f},{upper:.1f}" for x, _, upper in drawn) + " " + " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in reversed(drawn))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in drawn)
    return "".join(
        [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="风险与覆盖">',
            *_axes(top),
            f'<polygon points="{band}" fill="#2458c6" opacity=".12"/>',
            _across(_y(allowed, top), 'stroke="#c0342c" stroke-dasharray="5 4"'),
            f'<polyline points="{line}" fill="none" stroke="#2458c6" stroke-width="2"/>',
            *_in_force(points, top, ruleset),
            "</svg>",
        ]
    )


def _x(coverage: float) -> float:
    return LEFT + coverage * (RIGHT - LEFT)


def _y(risk: float, top: float) -> float:
    return HEIGHT - FOOT - risk / top * (HEIGHT - FOOT - 16)


def _across(y: float, style: str) -> str:
    return f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}" {style}/>'


def _axes(top: float) -> Iterator[str]:
    for step in range(6):
        share = step / 5
        yield f'<text x="{_x(share):.1f}" y="{HEIGHT - FOOT + 18}" text-anchor="middle">{share:.0%}</text>'
        yield f'<text x="{LEFT - 8}" y="{_y(top * share, top) + 4:.1f}" text-anchor="end">{top * share:.1%}</text>'
        yield _across(_y(top * share, top), 'stroke="#e2e6ee"')
    yield f'<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">覆盖</text>'
    yield f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 {HEIGHT / 2})">风险</text>'


def _in_force(points: Sequence[Point], top: float, ruleset: RuleSet) -> Iterator[str]:
    """The threshold of the pack, as a dot."""
    threshold = ruleset.ruleset.thresholds.dispatch
    held = [point for point in points if point.certainty >= threshold]
    if held:
        x, y = _x(held[-1].coverage), _y(held[-1].risk, top)
        told = f"门槛 {threshold} 分：分派 {held[-1].dispatched} 件，分错 {held[-1].wrong} 件"
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#2458c6"><title>{told}</title></circle>'
        yield f'<text x="{x - 8:.1f}" y="{max(y - 10, 12):.1f}" text-anchor="end">{told}</text>'
