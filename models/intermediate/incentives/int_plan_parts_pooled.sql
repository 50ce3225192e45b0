-- One row per plan part with what is paid: the claim of a plan without a pool, or the share of the
-- plan's pool that the claim comes to. A pool is paid out to the cent, unless nobody has a claim or
-- all claims at their caps are less than it.
with parts as (

    select * from {{ ref("int_plan_parts_paid") }}

),

claims as (

    select
        statement_id,
        plan_code,
        period_start,
        pool_amount,
        after_cap as claim,
        -- A cap is in whole cents: what lies beyond it cannot be paid.
        cast(floor(gross_amount * cap_factor * 100) * 0.01 as decimal(18, 2)) as cap_amount
    from parts
    where pool_amount is not null and after_cap > 0

),

-- Whoever reaches the cap first leaves the rest to the others: in the order of cap over claim,
-- everybody up to some place is paid the cap, and nobody after it.
ordered as (

    select
        *,
        coalesce(
            sum(cap_amount) over (
                partition by plan_code, period_start
                order by {{ exact_divide("cap_amount", "claim", 10) }}, statement_id
                rows between unbounded preceding and 1 preceding
            ), 0
        ) as caps_before,
        sum(claim) over (
            partition by plan_code, period_start
            order by {{ exact_divide("cap_amount", "claim", 10) }}, statement_id
            rows between current row and unbounded following
        ) as claims_from
    from claims

),

judged as (

    select
        *,
        pool_amount - caps_before > 0
        and cast(claim as decimal(24, 10)) * cast(pool_amount - caps_before as decimal(14, 2))
        >= cast(cap_amount as decimal(16, 2)) * cast(claims_from as decimal(22, 10)) as is_capped
    from ordered

),

rest as (

    select
        plan_code,
        period_start,
        max(pool_amount) - coalesce(sum(cap_amount) filter (where is_capped), 0) as rest_amount,
        coalesce(sum(claim) filter (where not is_capped), 0) as rest_claims
    from judged
    group by plan_code, period_start

),

shared as (

    select
        judged.statement_id,
        judged.plan_code,
        judged.period_start,
        judged.is_capped,
        judged.cap_amount,
        greatest(rest.rest_amount, 0) as rest_amount,
        case
            when not judged.is_capped
                then {{ exact_divide(
                    "cast(judged.claim as decimal(24, 10)) "
                    ~ "* cast(greatest(rest.rest_amount, 0) as decimal(14, 2))",
                    "rest.rest_claims",
                    12,
                ) }}
        end as exact_share
    from judged
    inner join rest
        on
            judged.plan_code = rest.plan_code
            and judged.period_start = rest.period_start

),

-- Largest remainder: whole cents first, then one cent each to the largest fractions.
ranked as (

    select
        *,
        cast(floor(exact_share * 100) as decimal(18, 0)) as whole_cents,
        row_number() over (
            partition by plan_code, period_start, is_capped
            order by exact_share * 100 - floor(exact_share * 100) desc, statement_id asc
        ) as remainder_rank
    from shared

),

paid as (

    select
        statement_id,
        cast(
            case
                when is_capped then cap_amount
                else (
                    whole_cents
                    + case
                        when
                            remainder_rank <= rest_amount * 100 - sum(whole_cents) over (
                                partition by plan_code, period_start, is_capped
                            )
                            then 1
                        else 0
                    end
                ) * 0.01
            end as decimal(18, 2)
        ) as amount
    from ranked

)

select
    parts.*,
    case
        when parts.pool_amount is null then cast(0 as decimal(18, 2))
        else coalesce(paid.amount, 0) - parts.claim_amount
    end as pool_change,
    case
        when parts.pool_amount is null then parts.claim_amount else coalesce(paid.amount, 0)
    end as amount
from parts
left join paid
    on parts.statement_id = paid.statement_id
