"""What ``truth.json`` says was planted is in the files: recomputed from the files alone."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

import numpy as np
import pytest

from tests.sample.conftest import Chain

NET = "quantity::int * unit_price::decimal(18, 2) - discount_amount::decimal(18, 2)"
CSAT = "question_code like 'csat%'"


def correlation(pairs: list[tuple[float, float]]) -> float:
    left, right = zip(*pairs, strict=True)
    return float(np.corrcoef(left, right)[0, 1])


def test_totals_are_those_of_the_files(chain: Chain) -> None:
    totals = chain.truth["totals"]
    assert Decimal(totals["revenue_amount"]) == chain.value(f"select sum({NET}) from order_lines_now")
    assert Decimal(totals["revenue_amount"]) == chain.summary.revenue
    assert Decimal(totals["refund_amount"]) == chain.value("select sum(refund_amount::decimal(18, 2)) from returns")
    assert totals["rows"] == chain.summary.rows
    assert totals["unique_keys"] == chain.summary.unique_keys
    assert totals["files"] == chain.summary.files


def test_duplicated_rows_are_the_same_in_both_files(chain: Chain) -> None:
    for entry in chain.truth["defects"]["duplicates"]:
        table = entry["extract"].split("/")[1]
        both = chain.value(
            f"select count(*) from (select * exclude (file) from {table} where file = $first "
            f"intersect all select * exclude (file) from {table} where file = $second)",
            first=entry["file"],
            second=entry["repeated_in"],
        )
        assert both == entry["rows"] > 0


def test_corrected_rows_come_again_with_other_values(chain: Chain) -> None:
    for entry in chain.truth["defects"]["corrections"]:
        table = entry["extract"].split("/")[1]
        key = ", ".join(chain.contract[entry["extract"]].key)
        changed = chain.rows(
            f"select {key} from {table} a inner join {table} b using ({key}) "
            "where a.file = $first and b.file = $second and a != b order by all",
            first=entry["file"],
            second=entry["corrected_in"],
        )
        assert [[str(part) for part in row] for row in changed] == [
            [str(part) for part in row] for row in sorted(entry["keys"])
        ]
        assert entry["rows"] == len(entry["keys"])


def test_late_rows_are_of_another_day_than_their_file(chain: Chain) -> None:
    moments = {"order_lines": "ordered_at", "responses": "submitted_at"}
    seen = Counter(entry["extract"] for entry in chain.truth["defects"]["late"])
    assert set(seen) == {"sales/order_lines", "survey/responses", "survey/answers"}
    for entry in chain.truth["defects"]["late"]:
        table = entry["extract"].split("/")[1]
        assert chain.value(f"select count(*) from {table} where file = $file", file=entry["file"]) == entry["rows"] > 0
        assert entry["event_on"] not in entry["file"]
        if table in moments:
            days = chain.rows(
                f"select distinct {moments[table]}[:10], store_id from {table} where file = $file", file=entry["file"]
            )
            assert days == [(entry["event_on"], entry["store_id"])]


def test_bad_rows_are_on_the_line_given(chain: Chain) -> None:
    bad_rows = chain.truth["defects"]["bad_rows"]
    assert {bad["column"] for bad in bad_rows} == {"store_id", "score"}
    for bad in bad_rows:
        text = (chain.folder / bad["file"]).read_text(encoding="utf-8")
        row = next(csv.DictReader([text.split("\n", 1)[0], *text.split("\n")[bad["line"] - 1 :]]))
        assert {column: row[column] for column in bad["key"]} == bad["key"]
        assert row[bad["column"]] == bad["value"]


def test_planted_rows_explain_the_difference_between_rows_and_keys(chain: Chain) -> None:
    planted = chain.truth["defects"]["rows"]
    for extract in ("sales/order_lines", "survey/answers", "hr/targets"):
        extra = sum(planted[kind].get(extract, 0) for kind in ("duplicates", "corrections", "bad_rows"))
        assert chain.summary.rows[extract] - chain.summary.unique_keys[extract] == extra > 0


def test_returns_of_earlier_months_are_all_listed(chain: Chain) -> None:
    listed = chain.truth["returns_of_earlier_months"]
    found = chain.rows(
        "select r.return_id, r.refund_amount::decimal(18, 2) from returns r "
        "inner join (select distinct order_id, ordered_at from order_lines) o on o.order_id = r.order_id "
        "where r.returned_at[:7] > o.ordered_at[:7] order by r.return_id"
    )
    assert [return_id for return_id, _ in found] == listed["return_ids"]
    assert listed["is_complete"]
    assert listed["count"] == len(found) > 0
    assert Decimal(listed["refund_amount"]) == sum(amount for _, amount in found)


def test_moves_are_in_the_assignment_history(chain: Chain) -> None:
    moves = chain.truth["moves"]
    assert {"transfer", "store_closed"} <= {move["reason"] for move in moves}
    for move in moves:
        stores = chain.rows(
            "select store_id from assignments_now where employee_id = $employee_id and (valid_to = $on or valid_from = $on) "
            "order by valid_from",
            employee_id=move["employee_id"],
            on=move["on"],
        )
        assert stores == [(move["from_store"],), (move["to_store"],)]
    transfers = [date.fromisoformat(move["on"]) for move in moves if move["reason"] == "transfer"]
    assert all(day.day > 1 for day in transfers)


def test_the_self_filler_leaves_bursts_of_top_scores_from_one_device(chain: Chain) -> None:
    filler = chain.truth["self_filler"]
    filled = chain.rows(
        "select response_id, employee_id, store_id, submitted_at from responses_now where device_id = $device "
        "order by submitted_at, response_id",
        device=filler["device_id"],
    )
    assert [row[0] for row in filled] == filler["response_ids"]
    assert {row[1:3] for row in filled} == {(filler["employee_id"], filler["store_id"])}
    assert {row[3][11:13] for row in filled} == {"21"}
    assert max(len(list(day)) for _, day in groupby(row[3][:10] for row in filled)) >= 3
    scores = chain.rows(
        "select distinct question_code, score from answers_now where response_id in "
        "(select response_id from responses where device_id = $device) order by all",
        device=filler["device_id"],
    )
    assert scores == [("ces_effort", "7"), ("csat_overall", "5"), ("nps_recommend", "10")]


def test_satisfaction_is_where_a_retail_chain_has_it(chain: Chain) -> None:
    csat = chain.value(f"select avg((score::int >= 4)::int) from answers_now where {CSAT}")
    nps = chain.value(
        "select 100 * avg((score::int >= 9)::int - (score::int <= 6)::int) from answers_now where question_code = 'nps_recommend'"
    )
    assert 0.72 <= csat <= 0.80
    assert 20 <= nps <= 40


def test_who_answers_depends_on_the_channel(chain: Chain) -> None:
    rates = dict(
        chain.rows(
            "select i.channel, avg((r.response_id is not null)::int) from invitations i "
            "left join (select invitation_id, response_id from responses_now) r on r.invitation_id = i.invitation_id "
            "where i.sent_at[:10] < $settled group by i.channel",
            settled=(chain.spec.last_day - timedelta(days=14)).isoformat(),
        )
    )
    assert rates.keys() == {"qr", "sms", "app", "email"}
    assert max(rates, key=rates.__getitem__) == "qr"
    assert all(0.2 < rate < 0.4 for rate in rates.values())


def test_store_and_employee_effects_show_in_the_scores(chain: Chain) -> None:
    base = (
        f"from answers_now a inner join responses_now r on r.response_id = a.response_id where a.{CSAT} "
        "and r.survey_code = 'store_visit' and r.touchpoint_code = 'checkout_till'"
    )
    stores = chain.rows(
        f"select r.store_id, avg(a.score::int) {base} and r.submitted_at[:10] < $rollout group by r.store_id",
        rollout=chain.truth["scheme"]["waves"][0]["rollout_on"],
    )
    assert correlation([(chain.truth["stores"][key]["effect"], mean) for key, mean in stores]) > 0.6
    employees = chain.rows(
        f"select r.employee_id, avg(a.score::int) {base} group by r.employee_id having count(*) >= 30"
    )
    assert len(employees) > 30
    assert correlation([(chain.truth["employees"][key]["effect"], mean) for key, mean in employees]) > 0.5


def test_the_scheme_lifts_satisfaction_by_about_what_was_planted(chain: Chain) -> None:
    scheme = chain.truth["scheme"]
    starts = {store: wave["rollout_on"][:7] for wave in scheme["waves"] for store in wave["stores"]}
    assert {wave["rollout_on"] for wave in scheme["waves"]} == {
        chain.spec.month_starts[6].isoformat(),
        chain.spec.month_starts[12].isoformat(),
    }
    cells = chain.rows(
        "select r.store_id, o.ordered_at[:7], avg((a.score::int >= 4)::int), count(*) from answers_now a "
        "inner join responses_now r on r.response_id = a.response_id "
        "inner join (select distinct order_id, ordered_at from order_lines) o on o.order_id = r.order_id "
        "where a.question_code = 'csat_overall' and r.touchpoint_code = 'checkout_till' group by all order by all"
    )
    stores = sorted({cell[0] for cell in cells})
    months = sorted({cell[1] for cell in cells})
    design = np.zeros((len(cells), len(stores) + len(months) + 1))
    for row, (store, month, _, _) in enumerate(cells):
        design[row, stores.index(store)] = 1
        design[row, len(stores) + months.index(month)] = 1
        design[row, -1] = store in starts and month >= starts[store]
    weights = np.sqrt([cell[3] for cell in cells])
    estimate = np.linalg.lstsq(design * weights[:, None], weights * [cell[2] for cell in cells], rcond=None)[0][-1]
    assert scheme["expected_lift_share"] == pytest.approx(estimate, abs=0.05)
    assert 0.05 < scheme["expected_lift_share"] < 0.15


def test_a_bad_delivery_ruins_score_and_return(chain: Chain) -> None:
    touchpoint = chain.truth["ruinous_touchpoint"]
    assert (touchpoint["touchpoint_code"], touchpoint["department_code"]) == ("delivery", "logistics")
    groups = touchpoint["members_with_delivery"]
    assert groups["bad"]["repurchase_ratio"] < groups["good"]["repurchase_ratio"] - 0.1
    first = chain.spec.first_day.isoformat()
    repurchased = dict(
        chain.rows(
            "with orders as (select distinct order_id, customer_id, ordered_at[:10]::date as day from order_lines_now), "
            "rated as (select o.*, a.score::int <= 2 as is_bad from orders o "
            "inner join responses_now r on r.order_id = o.order_id inner join answers_now a on a.response_id = r.response_id "
            "where a.question_code = 'csat_delivery' and o.customer_id is not null and o.day + 90 <= $last) "
            "select is_bad, avg(exists(select 1 from orders o where o.customer_id = rated.customer_id "
            "and o.day > rated.day and o.day <= rated.day + 90)::int) from rated where day >= $first::date group by is_bad",
            last=chain.spec.last_day,
            first=first,
        )
    )
    assert repurchased[True] < repurchased[False] - 0.1
    late = chain.value("select count(*) from tickets_now where reason_code = 'delivery_late'")
    assert late > 0


def purchase_histories(chain: Chain) -> list[tuple[int, float, float]]:
    """Repeat purchases, time of the last and age, in weeks, of every customer who bought."""
    end = chain.spec.end
    return [
        (repeats, (last - first).days / 7, (end - first).days / 7)
        for first, last, repeats in chain.rows(
            "select min(day), max(day), count(*) - 1 from (select distinct customer_id, ordered_at[:10]::date as day "
            "from order_lines where customer_id is not null) group by customer_id order by customer_id"
        )
    ]


def bgnbd_log_likelihood(
    histories: list[tuple[int, float, float]], r: float, alpha: float, a: float, b: float
) -> float:
    total = 0.0
    for x, last, age in histories:
        gone = a / (b + x - 1) * ((alpha + age) / (alpha + last)) ** (r + x) if x else 0.0
        total += math.lgamma(r + x) - math.lgamma(r) + r * math.log(alpha) - (r + x) * math.log(alpha + age)
        total += math.lgamma(a + b) + math.lgamma(b + x) - math.lgamma(b) - math.lgamma(a + b + x) + math.log1p(gone)
    return total


def test_purchases_are_likeliest_under_the_process_they_were_drawn_from(chain: Chain) -> None:
    truth = {name: chain.truth["purchasing"][name] for name in ("r", "alpha", "a", "b")}
    histories = purchase_histories(chain)
    best = bgnbd_log_likelihood(histories, **truth)
    for name in truth:
        for factor in (0.7, 1.4):
            assert bgnbd_log_likelihood(histories, **{**truth, name: truth[name] * factor}) < best, (name, factor)


def test_spend_follows_the_gamma_gamma_process(chain: Chain) -> None:
    spend = chain.truth["spend"]
    orders = [
        (customer, float(amount))
        for customer, amount in chain.rows(
            "select customer_id, sum(quantity::int * unit_price::double - discount_amount::double) from order_lines_now "
            "where customer_id is not null group by customer_id, order_id order by customer_id, order_id"
        )
    ]
    amounts = np.array([amount for _, amount in orders])
    assert amounts.mean() == pytest.approx(spend["mean"], rel=0.05)

    def log_likelihood(p: float, q: float, v: float) -> float:
        total = 0.0
        for _, entries in groupby(orders, key=lambda order: order[0]):
            values = [amount for _, amount in entries]
            x, sum_of = len(values), sum(values)
            total += math.lgamma(p * x + q) - math.lgamma(p * x) - math.lgamma(q)
            total += q * math.log(v) + (p * x - 1) * math.log(sum_of) - (p * x + q) * math.log(v + sum_of)
        return total

    best = log_likelihood(spend["p"], spend["q"], spend["v"])
    for name in ("p", "q", "v"):
        for factor in (0.7, 1.4):
            changed = {**{key: spend[key] for key in ("p", "q", "v")}, name: spend[name] * factor}
            assert log_likelihood(**changed) < best, (name, factor)


def test_targets_are_near_what_was_sold(chain: Chain) -> None:
    for level, column in (("store", "store_id"), ("employee", "employee_id")):
        ratios = [
            ratio
            for (ratio,) in chain.rows(
                f"with sold as (select {column} as entity_id, ordered_at[:7] as month, sum({NET})::double as amount "
                "from order_lines_now group by all) "
                "select coalesce(s.amount, 0) / t.target::double from targets_now t "
                "left join sold s on s.entity_id = t.entity_id and s.month = t.period_start[:7] where t.level = $level",
                level=level,
            )
        ]
        assert 0.9 < float(np.median(ratios)) < 1.1
        assert 0.05 < float(np.quantile(ratios, 0.75) - np.quantile(ratios, 0.25)) < 0.6


def test_comments_are_made_of_the_sentences_and_their_polarity_follows_the_score(chain: Chain) -> None:
    polarity = {entry["sentence"]: entry["polarity"] for entry in chain.truth["comments"]["sentences"]}
    theme = {entry["sentence"]: entry["theme"] for entry in chain.truth["comments"]["sentences"]}
    pattern = re.compile("|".join(re.escape(sentence) for sentence in polarity))
    counts: Counter[tuple[str, str]] = Counter()
    seen = set()
    for response_id, text, score in chain.rows(
        "select c.response_id, c.answer_text, s.score::int from answers_now c "
        f"left join answers s on s.response_id = c.response_id and s.{CSAT} where c.question_code = 'comment'"
    ):
        sentences = pattern.findall(text)
        assert re.sub(r"[ \n]", "", "".join(sentences)) == re.sub(r"[ \n]", "", text)
        if response_id not in seen:
            counts.update((theme[sentence], polarity[sentence]) for sentence in sentences)
        seen.add(response_id)
        expected = {1: {"negative"}, 2: {"negative"}, 4: {"positive"}, 5: {"positive"}}
        assert (
            score == 3
            or {polarity[sentence] for sentence in sentences} <= expected[score]
            or len(
                chain.rows(
                    "select 1 from answers where response_id = $id and question_code like 'csat%'", id=response_id
                )
            )
            > 1
        )
    planted = {(row["theme"], row["polarity"]): row["comments"] for row in chain.truth["comments"]["counts"]}
    assert counts == planted
