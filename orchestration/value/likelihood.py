"""Maximum likelihood for a few positive parameters: found in logarithms, judged by curvature, published with errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Vector = NDArray[np.float64]
# Value and gradient of the mean log-likelihood, negated, in the logarithms of the parameters.
Objective = Callable[[Vector], tuple[float, Vector]]

# Largest slope, per observation and log unit, at which the search counts as arrived.
SLOPE_AT_MAXIMUM = 1e-6
# A parameter this far out has no maximum: the data do not hold it (nobody ever leaves, every order costs the same).
FARTHEST_LOG = 11.0
_BOUND_LOG = 12.0
_STEP = 1e-4
_NEWTON_STEPS = 8


@dataclass(frozen=True)
class Maximum:
    """``reason`` is None where the maximum is sound; else no parameter may be used and the reason says why."""

    estimates: Vector
    log_errors: Vector
    log_likelihood: float
    evaluations: int
    reason: str | None


def _hessian(objective: Objective, at: Vector) -> NDArray[np.float64]:
    columns = []
    for index in range(len(at)):
        step = np.zeros(len(at))
        step[index] = _STEP
        columns.append((objective(at + step)[1] - objective(at - step)[1]) / (2 * _STEP))
    matrix = np.array(columns)
    return np.asarray((matrix + matrix.T) / 2)


def maximise(objective: Objective, starts: list[Vector], observations: float) -> Maximum:
    """Search from each start, polish the best end with Newton steps, and take errors from the curvature there.

    ``observations`` turns the mean into the log-likelihood. Nothing is drawn at random: equal data give equal results.
    """
    count = 0

    def counted(at: Vector) -> tuple[float, Vector]:
        nonlocal count
        count += 1
        value, slope = objective(at)
        if not np.isfinite(value) or not np.all(np.isfinite(slope)):
            return 1e10, np.zeros(len(at))
        return value, slope

    best_at, best_value = starts[0], np.inf
    for start in starts:
        found = minimize(
            counted,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-_BOUND_LOG, _BOUND_LOG)] * len(start),
            options={"maxiter": 500, "ftol": 1e-9, "gtol": 1e-5},
        )
        if found.fun < best_value:
            best_at, best_value = np.asarray(found.x), float(found.fun)
        if _is_inside(best_at) and found.fun < 1e10:
            break

    at, value = best_at, best_value
    slope = counted(at)[1]
    curvature = _hessian(counted, at)
    for _ in range(_NEWTON_STEPS):
        if np.max(np.abs(slope)) < SLOPE_AT_MAXIMUM / 100 or not _is_valley(curvature):
            break
        step = np.linalg.solve(curvature, slope)
        new_value, new_slope = counted(at - step)
        if not new_value <= value + 1e-12:
            break
        at, value, slope = at - step, new_value, new_slope
        curvature = _hessian(counted, at)

    reason = None
    if not np.isfinite(value) or value >= 1e10:
        reason = "no_likelihood"
    elif not _is_inside(at):
        reason = "no_interior_maximum"
    elif np.max(np.abs(slope)) > SLOPE_AT_MAXIMUM or not _is_valley(curvature):
        reason = "did_not_converge"
    errors = np.full(len(at), np.nan)
    if reason is None:
        errors = np.sqrt(np.diag(np.linalg.inv(curvature * observations)))
    return Maximum(np.exp(at), errors, -value * observations, count, reason)


def _is_inside(at: Vector) -> bool:
    return bool(np.max(np.abs(at)) < FARTHEST_LOG)


def _is_valley(curvature: NDArray[np.float64]) -> bool:
    if not np.all(np.isfinite(curvature)):
        return False
    values = np.linalg.eigvalsh(curvature)
    return bool(values[0] > 1e-10 * max(values[-1], 1e-300))
