"""Gate rules of what was delivered: people, orders, returns, and the books of landing."""

from expectations.rules import Rule, rows_check
from expectations.shared_rules import rows_reconcile_with_raw, volume_is_in_season

RULES = (
    rows_check(
        "landed_files.account_for_every_row",
        """
        select file_id, file_name, row_count, raw_row_count, rejected_row_count from marts.meta.landed_files
        where status = 'landed' and row_count is distinct from raw_row_count + rejected_row_count
        """,
        "select count(*) from marts.meta.landed_files",
    ),
    Rule(
        "landed_files.people_are_fresh",
        """
        select count(*) as checked,
               case when date_diff('day', cast(max(delivered_at) as date), any_value(as_of)) <= $threshold::decimal(18, 4)
                    then 0
                    when count(*) = 0 then 0 else 1 end as failed,
               date_diff('day', cast(max(delivered_at) as date), any_value(as_of)) as observed
        from marts.meta.landed_files cross join warehouse.control.night
        where source_name = 'hr' and extract_name = 'assignments' and status = 'landed'
        """,
        has_threshold=True,
    ),
    Rule(
        "orders.reconcile_with_their_lines",
        """
        select (select count(*) from marts.core.orders) as checked,
               abs(lines.orders - orders.orders)
               + case when lines.amount = orders.amount and lines.lines = orders.lines then 0 else 1 end as failed,
               orders.amount - lines.amount as observed
        from (
            select count(distinct order_id) as orders, count(*) as lines, coalesce(sum(line_amount), 0) as amount
            from marts.core.order_lines where exclusion_reason is null
        ) as lines
        cross join (
            select count(*) as orders, coalesce(sum(line_count), 0) as lines, coalesce(sum(order_amount), 0) as amount
            from marts.core.orders
        ) as orders
        """,
    ),
    rows_reconcile_with_raw("returns", "sales__returns", key="return_id"),
    Rule(
        "returns.amounts_reconcile_with_raw",
        """
        select rows_in as checked, case when amount_in = amount_out then 0 else 1 end as failed,
               amount_out - amount_in as observed
        from (
            select count(*) as rows_in, coalesce(sum(refund_amount), 0) as amount_in
            from (
                select max_by([refund_amount], (_delivery_key, _line_no))[1] as refund_amount
                from warehouse.raw.sales__returns group by return_id
            )
        )
        cross join (select coalesce(sum(refund_amount), 0) as amount_out from marts.core.returns)
        """,
    ),
    rows_check(
        "employees.are_those_delivered",
        """
        select employee_id, raw.rows as rows_delivered, core.rows as rows_published
        from (select employee_id, 1 as rows from warehouse.raw.hr__employees group by employee_id) as raw
        full join (select employee_id, count(*) as rows from marts.core.employees group by employee_id) as core
            using (employee_id)
        where core.rows is distinct from 1 or raw.rows is null
        """,
        "select count(*) from marts.core.employees",
    ),
    rows_check(
        "employee_assignments.do_not_overlap",
        """
        select employee_id, valid_from, valid_to, next_from
        from (
            select employee_id, valid_from, valid_to,
                   lead(valid_from) over (partition by employee_id order by valid_from, valid_to) as next_from
            from marts.core.employee_assignments
        )
        where next_from < coalesce(valid_to, date '9999-12-31')
        """,
        "select count(*) from marts.core.employee_assignments",
    ),
    # One that an older list had need only be there when it began well before that list: it may have been gone by its first day.
    rows_check(
        "employee_assignments.are_those_delivered",
        """
        with delivered as (
            select employee_id, valid_from, max(_delivery_key) as list, cast(max(_delivered_at) as date) as listed_on,
                   max_by([department_code, job_role, store_id, manager_id], (_delivery_key, _line_no)) as place,
                   coalesce(max_by([fte], (_delivery_key, _line_no))[1], 1) as fte,
                   max_by([valid_to], (_delivery_key, _line_no))[1] as valid_to,
                   lead(valid_from) over (partition by employee_id order by valid_from) as next_from
            from warehouse.raw.hr__assignments group by employee_id, valid_from
        ),
        leavers as (
            select employee_id, max_by([terminated_on], (_delivery_key, _line_no))[1] as terminated_on
            from warehouse.raw.hr__employees group by employee_id
        ),
        expected as (
            select delivered.*, list = max(list) over () as is_listed,
                   least(valid_to, next_from, terminated_on, date '9999-12-31') as ends_on
            from delivered left join leavers using (employee_id)
        )
        select employee_id, valid_from, expected.ends_on, core.valid_to, expected.place, expected.fte, core.fte as published_fte
        from expected full join marts.core.employee_assignments as core using (employee_id, valid_from)
        where case
            when expected.list is null then true
            when core.job_role is null then valid_from < ends_on and (is_listed or valid_from < listed_on - 1)
            else place <> [core.department_code, core.job_role, core.store_id, core.manager_id] or expected.fte <> core.fte
                 or coalesce(core.valid_to, date '9999-12-31') > ends_on
                 or (is_listed and coalesce(core.valid_to, date '9999-12-31') <> ends_on)
        end
        """,
        "select count(*) from marts.core.employee_assignments",
    ),
    rows_reconcile_with_raw("customers", "sales__customers", key="customer_id"),
    rows_reconcile_with_raw("products", "sales__products", key="product_id"),
    rows_reconcile_with_raw("stores", "sales__stores", key="store_id"),
    rows_reconcile_with_raw("service_tickets", "service__tickets", key="ticket_id"),
)

# A delivery that is late: BI shows what came, pay waits. Every extract is held against its own rhythm, so that a monthly list
# is not late after a week and a daily file is; one that came fewer than five times has none yet.
PAY_RULES = (
    rows_check(
        "landed_files.keep_their_rhythm",
        """
        select source_name, extract_name, last_day, longest_gap, days_since
        from (
            select source_name, extract_name, max(day) as last_day, max(gap) as longest_gap, count(gap) as gaps,
                   date_diff('day', max(day), any_value(as_of)) as days_since
            from (
                select source_name, extract_name, day,
                       date_diff('day', lag(day) over (partition by source_name, extract_name order by day), day) as gap
                from (
                    select distinct source_name, extract_name, delivered_on as day
                    from marts.meta.landed_files where status = 'landed'
                )
            )
            cross join warehouse.control.night
            group by source_name, extract_name
        )
        where gaps >= 4 and days_since > $threshold::decimal(18, 4) * longest_gap
        """,
        "select count(*) from marts.meta.landed_files",
        has_threshold=True,
    ),
    # A file with a day in its name is missed until a readable one of that day comes; a full list, or a file without a day in
    # its name, also until a later one does. What waits may be in the making on its own day.
    rows_check(
        "landed_files.unread_are_replaced",
        """
        select source_name, extract_name, file_name, status, delivered_on, reason from marts.meta.landed_files as unread
        cross join warehouse.control.night
        where extract_name is not null and (
            (status = 'refused' and coalesce(delivered_on <= as_of, true)) or (status = 'waiting' and delivered_on < as_of)
        ) and not exists (
            select 1 from marts.meta.landed_files as landed
            where landed.status = 'landed' and landed.source_name = unread.source_name
              and landed.extract_name = unread.extract_name
              and (landed.delivered_on = unread.delivered_on
                   or ((unread.is_full_list or not unread.is_dated) and landed.delivered_on > unread.delivered_on))
        )
        qualify count(*) over () > $threshold::decimal(18, 4)
        """,
        "select count(*) from marts.meta.landed_files",
        has_threshold=True,
    ),
    # A file without a row is the delivery of a quiet day for an extract that has such, and of a failed query for one of which
    # hardly a day in twenty ever came with fewer than five rows. All empty files of an extract have the same content. One
    # without a day in its name is replaced by a later one; full lists that are empty were refused.
    rows_check(
        "landed_files.empty_are_replaced",
        """
        select source_name, extract_name, day, files_before, usual_rows
        from (
            select *, count(*) over earlier as files_before, quantile_disc(rows, 0.05) over earlier as usual_rows,
                   max(day) filter (where rows > 0) over (partition by source_name, extract_name) as last_day
            from (
                select source_name, extract_name, delivered_on as day, bool_or(is_dated) as is_dated,
                       max(case when status = 'landed' then raw_row_count else row_count end) as rows
                from marts.meta.landed_files
                where status in ('landed', 'duplicate') and not is_full_list
                group by source_name, extract_name, delivered_on
            )
            window earlier as (
                partition by source_name, extract_name order by day rows between unbounded preceding and 1 preceding
            )
        )
        where rows = 0 and (is_dated or day > last_day) and files_before >= 5 and usual_rows >= 5
        qualify count(*) over () > $threshold::decimal(18, 4)
        """,
        "select count(*) from marts.meta.landed_files",
        has_threshold=True,
    ),
    volume_is_in_season("returns", day="returned_on"),
    volume_is_in_season("service_tickets", day="opened_on"),
)
