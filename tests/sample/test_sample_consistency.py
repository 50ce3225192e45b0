"""The sample's events fit its people, stores and products: nothing refers to what was not there at the time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.sample.conftest import Chain


@pytest.mark.parametrize(
    ("child", "column", "parent"),
    [
        ("order_lines", "customer_id", "customers"),
        ("order_lines", "store_id", "stores"),
        ("order_lines", "product_id", "products"),
        ("order_lines", "employee_id", "employees"),
        ("returns", "order_id", "order_lines"),
        ("invitations", "order_id", "order_lines"),
        ("invitations", "customer_id", "customers"),
        ("invitations", "employee_id", "employees"),
        ("responses", "invitation_id", "invitations"),
        ("responses", "order_id", "order_lines"),
        ("responses", "store_id", "stores"),
        ("answers", "response_id", "responses"),
        ("tickets", "order_id", "order_lines"),
        ("tickets", "employee_id", "employees"),
        ("interactions", "customer_id", "customers"),
        ("assignments", "employee_id", "employees"),
        ("assignments", "manager_id", "employees"),
        ("assignments", "store_id", "stores"),
        ("assignments", "department_code", "departments"),
        ("leave", "employee_id", "employees"),
    ],
)
def test_references_are_met(chain: Chain, child: str, column: str, parent: str) -> None:
    query = (
        f"select count(*) from {child} where {column} is not null and {column} not in (select {column} from {parent})"
    )
    if column == "manager_id":
        query = query.replace("select manager_id", "select employee_id")
    assert chain.value(query) == 0


def test_stores_sell_only_while_they_are_open(chain: Chain) -> None:
    assert (
        chain.value(
            "select count(*) from order_lines o inner join stores_now s on s.store_id = o.store_id "
            "where o.ordered_at[:10] < s.opened_on or o.ordered_at[:10] >= s.closed_on"
        )
        == 0
    )
    assert chain.value("select count(*) from stores_now where closed_on is not null") == 1
    assert (
        chain.value("select count(*) from stores_now where opened_on > (select min(ordered_at)[:10] from order_lines)")
        == 1
    )


def test_sellers_are_assigned_to_the_store_on_the_day_and_not_on_leave(chain: Chain) -> None:
    assert (
        chain.value(
            "select count(*) from order_lines_now o where channel = 'store' and employee_id is not null and not exists ("
            "select 1 from assignments_now a where a.employee_id = o.employee_id and a.store_id = o.store_id "
            "and a.job_role = 'sales_associate' and o.ordered_at[:10] >= a.valid_from "
            "and (a.valid_to is null or o.ordered_at[:10] < a.valid_to))"
        )
        == 0
    )
    assert (
        chain.value(
            "select count(*) from order_lines_now o inner join leave l on l.employee_id = o.employee_id "
            "and o.ordered_at[:10] >= l.starts_on and o.ordered_at[:10] < l.ends_on"
        )
        == 0
    )


def test_an_employee_has_one_assignment_on_every_day_of_employment(chain: Chain) -> None:
    ranges = chain.rows(
        "select a.employee_id, a.valid_from, a.valid_to, e.hired_on, e.terminated_on "
        "from assignments_now a inner join employees_now e on e.employee_id = a.employee_id order by 1, 2"
    )
    by_employee: dict[str, list[tuple[str, str | None, str, str | None]]] = {}
    for employee_id, *career in ranges:
        by_employee.setdefault(employee_id, []).append(tuple(career))
    for employee_id, career in by_employee.items():
        assert career[0][0] == career[0][2], employee_id
        assert career[-1][1] == career[-1][3], employee_id
        for before, after in pairwise(career):
            assert before[1] == after[0], employee_id


def test_a_list_never_knows_the_future_nor_forgets(chain: Chain) -> None:
    assert chain.value("select count(*) from employees where terminated_on > file[-14:-5]") == 0
    assert (
        chain.value("select count(*) from assignments where valid_from > file[-14:-5] or valid_to > file[-14:-5]") == 0
    )
    for table in ("employees", "assignments", "customers"):
        counts = [rows for (rows,) in chain.rows(f"select count(*) from {table} group by file order by file")]
        assert counts == sorted(counts)


def test_returns_take_back_at_most_what_was_sold_and_later(chain: Chain) -> None:
    wrong = chain.rows(
        "select r.return_id from returns r inner join order_lines_now o on o.order_id = r.order_id and o.line_no = r.line_no "
        "where r.quantity::int > o.quantity::int or r.quantity::int < 1 or r.returned_at <= o.ordered_at "
        "or r.refund_amount::decimal(18, 2) > o.quantity::int * o.unit_price::decimal(18, 2) - o.discount_amount::decimal(18, 2)"
    )
    assert wrong == []
    assert (
        chain.value(
            "select count(*) from returns r inner join order_lines_now o on o.order_id = r.order_id and o.line_no = r.line_no "
            "where r.quantity::int < o.quantity::int"
        )
        > 0
    )


def test_lines_have_list_prices_and_discounts_that_are_not_negative(chain: Chain) -> None:
    assert (
        chain.value(
            "select count(*) from order_lines_now where discount_amount::decimal(18, 2) < 0 "
            "or discount_amount::decimal(18, 2) >= quantity::int * unit_price::decimal(18, 2)"
        )
        == 0
    )
    assert (
        chain.value(
            "select count(*) from (select 1 from order_lines group by product_id having count(distinct unit_price) > 1)"
        )
        == 0
    )


def test_customers_are_registered_before_they_do_anything(chain: Chain) -> None:
    for table, moment in (("order_lines", "ordered_at"), ("responses", "submitted_at"), ("tickets", "opened_at")):
        assert (
            chain.value(
                f"select count(*) from {table} t inner join customers_now c on c.customer_id = t.customer_id "
                f"where t.{moment} < c.registered_at"
            )
            == 0
        )


def test_only_who_consented_is_written_to(chain: Chain) -> None:
    assert (
        chain.value(
            "select count(*) from invitations i inner join customers_now c on c.customer_id = i.customer_id "
            "where c.survey_consent = 'false' and i.channel != 'qr'"
        )
        == 0
    )


def test_a_response_agrees_with_its_invitation(chain: Chain) -> None:
    assert (
        chain.value(
            "select count(*) from responses r inner join invitations i on i.invitation_id = r.invitation_id "
            "where r.survey_code != i.survey_code or r.channel != i.channel or r.store_id != i.store_id "
            "or r.employee_id is distinct from i.employee_id or r.submitted_at < i.sent_at"
        )
        == 0
    )
    used_again = chain.value("select count(*) - count(distinct qr_token) from responses where qr_token is not null")
    assert used_again == len(chain.truth["screened"]["repeated_token"]) > 0
    assert chain.value("select count(*) from responses where (channel = 'qr') != (qr_token is not null)") == 0
    assert chain.value("select count(*) from responses where started_at >= submitted_at") == 0


def test_every_response_has_the_questions_of_its_survey(chain: Chain) -> None:
    asked = chain.rows(
        "select distinct r.survey_code, a.question_code from answers a "
        "inner join responses_now r on r.response_id = a.response_id order by all"
    )
    assert asked == [
        ("delivery", "comment"),
        ("delivery", "csat_delivery"),
        ("delivery", "nps_recommend"),
        ("service_call", "ces_effort"),
        ("service_call", "comment"),
        ("service_call", "csat_service"),
        ("store_visit", "ces_effort"),
        ("store_visit", "comment"),
        ("store_visit", "csat_overall"),
        ("store_visit", "nps_recommend"),
    ]
    scales = {"csat%": (1, 5), "nps%": (0, 10), "ces%": (1, 7)}
    for question, (lowest, highest) in scales.items():
        reached = chain.rows(
            "select min(score::int), max(score::int), count(distinct score) from answers_now where question_code like $question",
            question=question,
        )
        assert reached == [(lowest, highest, highest - lowest + 1)]


def test_open_tickets_come_again_when_they_are_resolved(chain: Chain) -> None:
    again = chain.rows(
        "select a.ticket_id from tickets a inner join tickets b on b.ticket_id = a.ticket_id and b.file > a.file "
        "where a.resolved_at is not null or b.resolved_at is null"
    )
    assert again == []
    assert chain.summary.rows["service/tickets"] > chain.summary.unique_keys["service/tickets"]
