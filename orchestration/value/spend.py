"""What customers spend per purchase: the Gamma-Gamma model (Fader and Hardie 2013), fitted on those who came back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from orchestration.value.likelihood import Vector, maximise

_ROWS_PER_PASS = 262_144


@dataclass(frozen=True)
class SpendFit:
    """Parameters in the company's currency; ``reason`` is set where there are none to use."""

    p: float
    q: float
    v: float
    log_errors: Vector
    log_likelihood: float
    customers: float
    reason: str | None

    @property
    def mean(self) -> float:
        """Mean spend of the population per purchase."""
        return self.p * self.v / (self.q - 1)


def _nothing(customers: float, reason: str) -> SpendFit:
    return SpendFit(np.nan, np.nan, np.nan, np.full(3, np.nan), np.nan, customers, reason)


class _MeanLogLikelihood:
    """Negated mean log-likelihood and its slope; gamma functions once per distinct number of purchases."""

    def __init__(self, purchases: NDArray[np.int64], totals: Vector, customers: Vector) -> None:
        self.total = float(customers.sum())
        self.counts, index = np.unique(purchases, return_inverse=True)
        self.index = index.astype(np.int32)
        self.weight_of_counts = np.bincount(index, weights=customers) / self.total
        self.totals, self.weights = totals, customers / self.total
        log_totals = np.log(totals)
        self.log_total_of_counts = np.bincount(index, weights=self.weights * log_totals)
        self.mean_log_average = float(np.sum(self.weights * (log_totals - np.log(purchases))))

    def __call__(self, logs: Vector) -> tuple[float, Vector]:
        p, q, v = np.exp(logs)
        x, weight = self.counts.astype(float), self.weight_of_counts
        # Sums over histories with one number of purchases: of ln(total + v) and of 1 / (total + v).
        log_sums, inverse_sums = np.zeros(len(x)), np.zeros(len(x))
        for start in range(0, len(self.totals), _ROWS_PER_PASS):
            rows = slice(start, start + _ROWS_PER_PASS)
            shifted = self.totals[rows] + v
            log_sums += np.bincount(self.index[rows], weights=self.weights[rows] * np.log(shifted), minlength=len(x))
            inverse_sums += np.bincount(self.index[rows], weights=self.weights[rows] / shifted, minlength=len(x))
        constant = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        value = np.sum(weight * constant + p * x * self.log_total_of_counts - (p * x + q) * log_sums)
        value -= self.mean_log_average
        by_p = np.sum(x * (weight * (digamma(p * x + q) - digamma(p * x)) + self.log_total_of_counts - log_sums))
        by_q = np.sum(weight * (digamma(p * x + q) - digamma(q) + np.log(v)) - log_sums)
        by_v = q / v - np.sum((p * x + q) * inverse_sums)
        return -float(value), -np.array([by_p * p, by_q * q, by_v * v])


def fit_spend(purchases: NDArray[np.int64], totals: Vector, customers: Vector) -> SpendFit:
    """Fit p, q and v on histories with at least one purchase and a total above zero; the others are left out.

    ``customers`` counts equal histories. Never raises on data: what cannot be fitted has a reason.
    """
    sound = (purchases > 0) & (totals > 0)
    purchases, totals, customers = purchases[sound], totals[sound], customers[sound]
    count = float(customers.sum())
    if count == 0:
        return _nothing(count, "no_positive_spend")
    if count < 2:
        return _nothing(count, "too_few_customers")
    averages = totals / purchases
    if np.ptp(averages) == 0:
        return _nothing(count, "all_spend_is_equal")
    scale = float(np.sum(averages * customers) / count)
    starts = [np.log(np.array(start)) for start in ((6.0, 4.0, 0.5), (1.0, 3.0, 2.0), (20.0, 10.0, 0.5))]
    found = maximise(_MeanLogLikelihood(purchases, totals / scale, customers), starts, count)
    if found.reason is not None:
        return _nothing(count, found.reason)
    p, q, v = (float(value) for value in found.estimates)
    if q <= 1:
        return _nothing(count, "mean_spend_is_infinite")
    log_likelihood = found.log_likelihood - count * np.log(scale)
    return SpendFit(p, q, v * scale, found.log_errors, log_likelihood, count, None)
