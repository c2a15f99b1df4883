"""How far a counted share may be from the truth: Wilson's interval and the exact one of Clopper and Pearson."""

from math import exp, lgamma, log
from statistics import NormalDist

TINY = 1e-300
STEPS = 400
"""Of the continued fraction; it settles in far fewer wherever counts are below a million."""


def wilson(right: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's two-sided interval: close to the truth on average."""
    if not count:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = right / count, 1 + z * z / count
    centre = share + z * z / (2 * count)
    half = z * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return max((centre - half) / spread, 0.0), min((centre + half) / spread, 1.0)


def exact(right: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided interval of Clopper and Pearson: never narrower than it claims."""
    tail = (1 - confidence) / 2
    return at_least(right, count, 1 - tail), 1 - at_least(count - right, count, 1 - tail)


def at_least(right: int, count: int, confidence: float = 0.95) -> float:
    """The share that the truth is not below, at this confidence: the exact one-sided bound."""
    return beta_quantile(1 - confidence, right, count - right + 1) if right else 0.0


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x below which the beta distribution has this probability, by bisection until floats are exhausted."""
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        if beta_share(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return high


def beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function: the probability of the beta distribution below x."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    product = d
    for m in range(1, STEPS):
        for step in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / _off_zero(1 + step * d)
            c = _off_zero(1 + step / c)
            product *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return product


def _off_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
