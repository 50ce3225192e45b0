"""When customers buy: the BG/NBD model of Fader, Hardie and Lee (2005), fitted on counts of equal histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.special import betaln, digamma, gammaln

from orchestration.value.likelihood import Maximum, Vector, maximise

# Rows per pass over the histories, so that what is computed on the way stays small whatever their number.
_ROWS_PER_PASS = 262_144
# Nodes for the drop-out probability by how many times the age the horizon reaches, and for the time over which purchases
# are discounted: customers of the first days need more for horizons of years.
_DROP_OUT_NODES = ((3.0, 16), (12.0, 32), (np.inf, 128))
_TIME_NODES = 8
DAYS_PER_WEEK = 7.0
# Log-likelihood by which leaving must better the fit, and the logarithms of a and b that stand for nobody leaving.
_LEAVING_ADDS_NOTHING = 0.5
_NOBODY_LEAVES_LOGS = np.array([-20.0, 0.0])


@dataclass(frozen=True)
class Histories:
    """Distinct histories and how many customers have each: repeat purchase days, days from the first purchase to the
    last, and days from the first to the day looked from.
    """

    repeats: NDArray[np.int64]
    last_days: NDArray[Any]
    age_days: NDArray[Any]
    customers: NDArray[np.float64]


def group_corrected(histories: Histories, correction_days: float) -> Histories:
    """Histories on a clock that stands still for ``correction_days`` after each purchase.

    The model's purchases have moments; those of the data have days, and what is bought again on the same day is not seen.
    After a purchase, nothing can be seen for the rest of the day, half a day on average: counted as time without a
    purchase it makes frequent buyers look slower than they are. 0 is the model as published.
    """
    stopped = correction_days * histories.repeats
    # Somebody who buys daily still ages.
    last = np.maximum(histories.last_days - stopped, 0.0)
    return Histories(histories.repeats, last, np.maximum(histories.age_days - stopped, last), histories.customers)


def group_histories(repeats: NDArray[np.int64], last_days: NDArray[np.int64], age_days: NDArray[np.int64]) -> Histories:
    """Count equal histories among customers, as the models do in SQL."""
    age_span, last_span = int(age_days.max()) + 1, int(last_days.max()) + 1
    keys = (repeats.astype(np.int64) * last_span + last_days) * age_span + age_days
    distinct, counts = np.unique(keys, return_counts=True)
    rest, age = np.divmod(distinct, age_span)
    repeat, last = np.divmod(rest, last_span)
    return Histories(repeat, last, age, counts.astype(float))


@dataclass(frozen=True)
class PurchaseFit:
    """Parameters per week; ``reason`` is set where there are none to use."""

    r: float
    alpha: float
    a: float
    b: float
    log_errors: Vector
    log_likelihood: float
    customers: float
    distinct_histories: int
    reason: str | None

    @property
    def parameters(self) -> tuple[float, float, float, float]:
        """R, alpha, a, b."""
        return self.r, self.alpha, self.a, self.b


def _nothing(customers: float, distinct: int, reason: str) -> PurchaseFit:
    gaps = np.full(4, np.nan)
    return PurchaseFit(np.nan, np.nan, np.nan, np.nan, gaps, np.nan, customers, distinct, reason)


class _MeanLogLikelihood:
    """Negated mean log-likelihood and its slope. Gamma functions and logarithms are taken once per distinct number of
    repeats and per distinct day, and looked up per history.
    """

    def __init__(self, histories: Histories, scale: float) -> None:
        self.total = float(histories.customers.sum())
        self.repeats, repeat_index = np.unique(histories.repeats, return_inverse=True)
        ages, age_index = np.unique(histories.age_days, return_inverse=True)
        lasts, last_index = np.unique(histories.last_days, return_inverse=True)
        self.ages, self.lasts = ages / scale, lasts / scale
        self.weight_of_repeats = np.bincount(repeat_index, weights=histories.customers) / self.total
        # Nobody who never repeated can have left, so those histories need no more than their age.
        bought_again = histories.repeats > 0
        self.weight_of_ages_once = (
            np.bincount(age_index[~bought_again], weights=histories.customers[~bought_again], minlength=len(ages))
            / self.total
        )
        self.repeat_index = repeat_index[bought_again].astype(np.int32)
        self.age_index = age_index[bought_again].astype(np.int32)
        self.last_index = last_index[bought_again].astype(np.int32)
        self.weights = histories.customers[bought_again] / self.total

    def __call__(self, logs: Vector) -> tuple[float, Vector]:
        r, alpha, a, b = np.exp(logs)
        x = self.repeats.astype(float)
        repeated = x > 0
        # What only depends on the number of repeats.
        constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
        weight = self.weight_of_repeats
        value = np.sum(weight * constant)
        by_r = np.sum(weight * (digamma(r + x) - digamma(r) + np.log(alpha)))
        by_alpha = r / alpha
        both = digamma(a + b) - digamma(a + b + x)
        by_a = np.sum(weight * both)
        by_b = np.sum(weight * (digamma(b + x) - digamma(b) + both))
        # Histories without a repeat.
        log_age = np.log(alpha + self.ages)
        value -= r * np.sum(self.weight_of_ages_once * log_age)
        by_r -= np.sum(self.weight_of_ages_once * log_age)
        by_alpha -= r * np.sum(self.weight_of_ages_once / (alpha + self.ages))
        # The others: alive at the end, or gone right after the last purchase.
        log_last = np.log(alpha + self.lasts)
        one_over_age, one_over_last = 1 / (alpha + self.ages), 1 / (alpha + self.lasts)
        log_odds_gone = np.zeros(len(x))
        log_odds_gone[repeated] = np.log(a) - np.log(b + x[repeated] - 1)
        odds_by_b = np.zeros(len(x))
        odds_by_b[repeated] = 1 / (b + x[repeated] - 1)
        rate = r + x
        for start in range(0, len(self.weights), _ROWS_PER_PASS):
            rows = slice(start, start + _ROWS_PER_PASS)
            index, age, last = self.repeat_index[rows], self.age_index[rows], self.last_index[rows]
            weights, rates = self.weights[rows], rate[index]
            la, ll = log_age[age], log_last[last]
            z = log_odds_gone[index] + rates * (la - ll)
            # log(1 + e^z) and its slope, without overflow for those long silent.
            value += np.sum(weights * (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - rates * la))
            gone = weights / (1 + np.exp(-z))
            by_r += np.sum(gone * (la - ll) - weights * la)
            by_alpha += np.sum(rates * (gone * (one_over_age[age] - one_over_last[last]) - weights * one_over_age[age]))
            total_gone = np.bincount(index, weights=gone, minlength=len(x))
            by_a += np.sum(total_gone) / a
            by_b -= np.sum(total_gone * odds_by_b)
        slope = np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])
        return -float(value), -slope


def _fit_without_leaving(objective: _MeanLogLikelihood, customers: float) -> Maximum:
    """The same model where nobody ever leaves (negative binomial): r and alpha alone, with a at 0."""

    def restricted(logs: Vector) -> tuple[float, Vector]:
        value, slope = objective(np.append(logs, _NOBODY_LEAVES_LOGS))
        return value, slope[:2]

    starts = [np.log(np.array(start)) for start in ((1.0, 1.0), (4.0, 8.0), (0.2, 0.1))]
    return maximise(restricted, starts, customers)


def fit_purchases(histories: Histories) -> PurchaseFit:
    """Fit r, alpha, a and b. Never raises on data: what cannot be fitted has a reason instead of parameters.

    Where the data show no customer leaving, the likelihood rises towards a = 0 without a maximum of its own; if leaving adds
    nothing to it, the fit is that of customers who stay, with a at 0 and b at 1.
    """
    customers, distinct = float(histories.customers.sum()), len(histories.customers)
    if customers < 2:
        return _nothing(customers, distinct, "too_few_customers")
    if not np.any(histories.age_days > 0):
        return _nothing(customers, distinct, "all_on_one_day")
    if not np.any(histories.repeats > 0):
        return _nothing(customers, distinct, "nobody_repeats")
    # In units of the mean age, so that the starts fit a chain of any length.
    scale = float(np.sum(histories.age_days * histories.customers) / customers)
    starts = [np.log(np.array(start)) for start in ((0.5, 0.25, 0.8, 2.5), (1.0, 1.0, 1.0, 1.0), (0.2, 0.1, 0.2, 5.0))]
    objective = _MeanLogLikelihood(histories, scale)
    found = maximise(objective, starts, customers)
    estimates, log_errors = found.estimates, found.log_errors
    if found.reason is not None:
        stayed = _fit_without_leaving(objective, customers)
        if stayed.reason is not None or stayed.log_likelihood < found.log_likelihood - _LEAVING_ADDS_NOTHING:
            return _nothing(customers, distinct, found.reason)
        found, estimates = stayed, np.append(stayed.estimates, (0.0, 1.0))
        log_errors = np.append(stayed.log_errors, (np.nan, np.nan))
    r, alpha, a, b = (float(value) for value in estimates)
    # The density of a week is that of a unit divided by the units per week, once per repeat purchase.
    repeats = float(np.sum(histories.repeats * histories.customers))
    log_likelihood = found.log_likelihood - repeats * np.log(scale / DAYS_PER_WEEK)
    return PurchaseFit(
        r, alpha * scale / DAYS_PER_WEEK, a, b, log_errors, log_likelihood, customers, distinct, None
    )  # fmt: skip


def log_likelihood(histories: Histories, parameters: tuple[float, float, float, float]) -> float:
    """Log-likelihood of the histories at given parameters, which need not be the maximum."""
    objective = _MeanLogLikelihood(histories, DAYS_PER_WEEK)
    return -objective(np.log(np.array(parameters)))[0] * objective.total


def probability_alive(fit: PurchaseFit, repeats: Vector, last_weeks: Vector, age_weeks: Vector) -> Vector:
    """Probability that a customer still buys."""
    r, alpha, a, b = fit.parameters
    x = np.asarray(repeats, float)
    odds_gone = np.where(x > 0, a / np.maximum(b + x - 1, 1e-300), 0.0)
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + odds_gone * ((alpha + age_weeks) / (alpha + last_weeks)) ** (r + x)))


def _drop_out_nodes(a: float, b: float, count: int) -> tuple[Vector, Vector]:
    """Nodes in (0, 1) and weights adding to 1 of Gauss' rule for a beta distribution (Golub and Welsch)."""
    k = np.arange(1.0, count)
    p, q = b - 1.0, a - 1.0
    total = 2 * k + p + q
    diagonal = np.empty(count)
    diagonal[0] = (q - p) / (p + q + 2)
    diagonal[1:] = (q - p) * (q + p) / (total * (total + 2))
    beside = np.empty(count - 1)
    # The first entry by itself: the general form divides by p + q + 1, which is 0 for a + b = 1.
    beside[0] = 4 * (1 + p) * (1 + q) / ((2 + p + q) ** 2 * (3 + p + q))
    rest, total = k[1:], total[1:]
    beside[1:] = 4 * rest * (rest + p) * (rest + q) * (rest + p + q) / (total**2 * (total + 1) * (total - 1))
    roots, vectors = eigh_tridiagonal(diagonal, np.sqrt(beside))
    return np.clip((roots + 1) / 2, 1e-300, 1.0), vectors[0] ** 2


@dataclass(frozen=True)
class Expectation:
    """Of customers who are alive, per distinct number of repeats and age: purchases within the horizon, and the same
    discounted continuously to today.
    """

    purchases: Vector
    discounted: Vector


def expect_purchases(
    parameters: tuple[float, float, float, float],
    repeats: NDArray[np.int64],
    age_days: NDArray[np.int64],
    horizon_weeks: float,
    yearly_discount: float,
    correction_days: float = 0.0,
) -> Expectation:
    """Expected purchases of customers who are alive; times their probability to be alive it is the published conditional
    expectation.

    The hypergeometric function of the closed form is an integral over the drop-out probability of a living customer,
    which is beta(a, b + x): a Gauss rule for exactly that distribution replaces the series, and is as good for
    hundreds of purchases, where the series overflows. With ``correction_days`` (see ``group_corrected``) purchases are
    days with a purchase, so that those which would merge are taken out.
    """
    r, alpha, a, b = parameters
    age_days = np.maximum(age_days - correction_days * repeats, 0.0)
    purchases, discounted = np.zeros(len(repeats)), np.zeros(len(repeats))
    force = np.log1p(yearly_discount) / (365.25 / DAYS_PER_WEEK)
    points, weights = np.polynomial.legendre.leggauss(_TIME_NODES)
    # Purchases come fastest at the start: the square puts more of the points there.
    unit = (points + 1) / 2
    times, widths = horizon_weeks * unit**2, horizon_weeks * weights * unit
    if a == 0:
        # Nobody leaves: purchases go on at the rate of the past.
        rate = (r + repeats) / (alpha + age_days / DAYS_PER_WEEK)
        worth = horizon_weeks if force == 0 else -np.expm1(-force * horizon_weeks) / force
        seen = 1 / (1 + correction_days * rate / DAYS_PER_WEEK)
        return Expectation(rate * horizon_weeks * seen, rate * worth * seen)
    limits = np.array([limit for limit, _ in _DROP_OUT_NODES])
    reach = np.searchsorted(limits, horizon_weeks / (alpha + age_days / DAYS_PER_WEEK))
    key = repeats.astype(np.int64) * len(limits) + reach
    order = np.argsort(key, kind="stable")
    edges = np.flatnonzero(np.diff(key[order])) + 1
    for group in np.split(order, edges) if len(order) else []:
        x = float(repeats[group[0]])
        nodes, shares = _drop_out_nodes(a, b + x, _DROP_OUT_NODES[reach[group[0]]][1])
        age = alpha + age_days[group] / DAYS_PER_WEEK
        whole = _expected(horizon_weeks, age, r + x, nodes, shares)
        purchases[group] = whole
        # By parts: what is bought at t is worth e^(-force t), and only the smooth expectation has to be integrated.
        value = np.exp(-force * horizon_weeks) * whole
        if force > 0:
            for time, width in zip(times, widths, strict=True):
                value = value + force * width * np.exp(-force * time) * _expected(time, age, r + x, nodes, shares)
        discounted[group] = value
    rate_per_day = (r + repeats) / (alpha + age_days / DAYS_PER_WEEK) / DAYS_PER_WEEK
    seen = 1 / (1 + correction_days * rate_per_day)
    return Expectation(purchases * seen, discounted * seen)


def _expected(weeks: float, age: Vector, rate: float, nodes: Vector, shares: Vector) -> Vector:
    grown = -np.expm1(-rate * np.log1p(np.outer(weeks / age, nodes)))
    return np.asarray(grown @ (shares / nodes))
