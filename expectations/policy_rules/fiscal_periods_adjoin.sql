-- Fiscal periods of one kind follow each other without a gap or an overlap.
select
    seed,
    seed_line,
    problem
from (
    select
        seed,
        seed_line,
        case
            when period_end <= period_start
                then concat('period_end ', period_end, ' is not after period_start ', period_start)
            when
                lead(period_start) over (partition by period_type order by period_start)
                != period_end
                then concat(
                    period_type, ' from ', period_start, ' ends on ', period_end,
                    ', the next begins on ',
                    lead(period_start) over (partition by period_type order by period_start)
                )
        end as problem
    from fiscal_periods
) as faults
where problem is not null
