"""The true parameters the chain is drawn from; ``truth.json`` repeats them for tests to recover.

Satisfaction is one latent number per visit: chain base + store + employee + scheme + touchpoint damage + noise, where
the noise has standard deviation 1. Each question adds its own smaller noise and cuts the sum into the steps of its
scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist


@dataclass(frozen=True)
class TrueModel:
    """Parameters of the generating process: time in weeks, money in CNY, latent satisfaction in standard deviations."""

    # Repeat purchasing, BG/NBD (Fader, Hardie and Lee 2005).
    bgnbd_r: float = 0.8
    bgnbd_alpha: float = 4.2
    bgnbd_a: float = 0.8
    bgnbd_b: float = 6.0
    # Spend per order, Gamma-Gamma (Fader and Hardie 2013). p and q are 6 because the SQL draws both gammas as sums of
    # six exponentials (macro gamma6).
    spend_p: int = 6
    spend_q: int = 6
    spend_v: float = 470.0

    store_sd: float = 0.20
    employee_sd: float = 0.30
    question_sd: float = 0.45
    scheme_lift: float = 0.35
    gold_lift: float = 0.12

    # A bad delivery is likelier where the customer drops out after the order. Marginally purchasing stays an exact
    # BG/NBD, and by Bayes a bad delivery still goes with dropping out far more often than a good one.
    bad_delivery_if_dropping: float = 0.55
    bad_delivery_otherwise: float = 0.09
    delivery_base: float = 0.35
    delivery_damage: float = -2.1
    service_base: float = 0.05
    service_delay_damage: float = -0.45

    response_qr: float = 0.34
    response_app: float = 0.30
    response_sms: float = 0.26
    response_email: float = 0.22
    # The very unhappy and the very happy answer more often, so respondents are not a fair sample of the invited.
    response_extreme: float = 0.05

    csat_shares: tuple[float, ...] = (0.04, 0.065, 0.165, 0.40, 0.33)
    nps_shares: tuple[float, ...] = (0.02, 0.01, 0.015, 0.02, 0.03, 0.055, 0.07, 0.15, 0.20, 0.21, 0.22)
    ces_shares: tuple[float, ...] = (0.02, 0.03, 0.06, 0.12, 0.22, 0.30, 0.25)

    def cuts(self, shares: Sequence[float]) -> list[float]:
        """Latent cut points that give ``shares`` of a whole chain without scheme or damage (n shares, n - 1 cuts)."""
        spread = math.sqrt(1 + self.store_sd**2 + self.employee_sd**2 + self.question_sd**2)
        normal = NormalDist()
        return [round(normal.inv_cdf(share) * spread, 4) for share in list(accumulate(shares))[:-1]]


MODEL = TrueModel()
