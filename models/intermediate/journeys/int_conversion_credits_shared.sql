-- One row per model, outcome, kind of unit, period and unit: credits in millionths of a conversion
-- and amounts in ten-thousandths that add up to the conversions and their amount exactly, by
-- largest remainder.
{% set weights = {
    "first": "case when position = 1 then 1.0 else 0.0 end",
    "last": "case when position = positions then 1.0 else 0.0 end",
    "linear": "1.0 / positions",
    "position": "position_weight",
    "time_decay": "decay_weight / sum(decay_weight) over (partition by unit_kind, path_id)",
} %}

with settings as (

    select * from {{ ref("int_journey_settings_listed") }}

),

touches as (

    select
        touches.*,
        case
            when touches.positions = 1 then 1.0
            when touches.positions = 2 then 0.5
            when touches.position in (1, touches.positions)
                then cast(settings.position_end_share as double)
            else
                (1 - 2 * cast(settings.position_end_share as double)) / (touches.positions - 2)
        end as position_weight,
        -- The youngest touch weighs 1: ages count from it, so that no weight underflows to zero.
        power(
            0.5,
            (
                touches.seconds_before
                - min(touches.seconds_before) over (
                    partition by touches.unit_kind, touches.path_id
                )
            )
            / (86400.0 * cast(settings.decay_half_life_days as double))
        ) as decay_weight
    from {{ ref("int_conversion_touches_listed") }} as touches
    cross join settings
    where touches.is_converted

),

weighted as (

    {% for model_code, weight in weights.items() %}
    select
        '{{ model_code }}' as model_code,
        outcome_code,
        unit_kind,
        quarter_start,
        unit_code,
        amount,
        {{ weight }} as weight
    from touches
    {{ "union all" if not loop.last }}
    {% endfor %}

),

ruled as (

    select
        model_code,
        outcome_code,
        unit_kind,
        quarter_start,
        unit_code,
        sum(cast(weight as decimal(38, 12))) as credit,
        sum(cast(weight * cast(amount as double) as decimal(38, 8))) as credited_amount
    from weighted
    group by model_code, outcome_code, unit_kind, quarter_start, unit_code

),

totals as (

    select
        outcome_code,
        unit_kind,
        period_type,
        period_start,
        sum(conversions) as conversions,
        sum(amount) as amount
    from {{ ref("int_conversion_paths_counted") }}
    group by outcome_code, unit_kind, period_type, period_start

),

raw_credits as (

    select
        ruled.model_code,
        ruled.outcome_code,
        ruled.unit_kind,
        'quarter' as period_type,
        ruled.quarter_start as period_start,
        ruled.unit_code,
        cast(ruled.credit as double) as credit,
        cast(ruled.credited_amount as double) as credited_amount,
        cast(null as double) as removal_effect
    from ruled
    union all
    select
        ruled.model_code,
        ruled.outcome_code,
        ruled.unit_kind,
        'total' as period_type,
        min(totals.period_start) as period_start,
        ruled.unit_code,
        cast(sum(ruled.credit) as double) as credit,
        cast(sum(ruled.credited_amount) as double) as credited_amount,
        cast(null as double) as removal_effect
    from ruled
    inner join totals
        on
            ruled.outcome_code = totals.outcome_code
            and ruled.unit_kind = totals.unit_kind
            and totals.period_type = 'total'
    group by ruled.model_code, ruled.outcome_code, ruled.unit_kind, ruled.unit_code
    union all
    select
        modelled.model_code,
        modelled.outcome_code,
        modelled.unit_kind,
        modelled.period_type,
        modelled.period_start,
        modelled.unit_code,
        modelled.credit_ratio * totals.conversions as credit,
        modelled.credit_ratio * cast(totals.amount as double) as credited_amount,
        modelled.removal_effect
    from {{ ref("int_conversion_credits_modelled") }} as modelled
    inner join totals
        on
            modelled.outcome_code = totals.outcome_code
            and modelled.unit_kind = totals.unit_kind
            and modelled.period_type = totals.period_type
            and modelled.period_start = totals.period_start

),

cut as (

    select
        raw_credits.*,
        totals.conversions,
        totals.amount,
        cast(floor(round(raw_credits.credit * 1000000, 3)) as decimal(38, 0)) as credit_units,
        cast(floor(round(raw_credits.credited_amount * 10000, 3)) as decimal(38, 0))
            as amount_units,
        round(raw_credits.credit * 1000000, 3)
        - floor(round(raw_credits.credit * 1000000, 3)) as credit_remainder,
        round(raw_credits.credited_amount * 10000, 3)
        - floor(round(raw_credits.credited_amount * 10000, 3)) as amount_remainder
    from raw_credits
    inner join totals
        on
            raw_credits.outcome_code = totals.outcome_code
            and raw_credits.unit_kind = totals.unit_kind
            and raw_credits.period_type = totals.period_type
            and raw_credits.period_start = totals.period_start

),

-- What is missing is a few units, one each for the largest remainders; where sums of doubles were
-- off by more than there are units, the first one takes what is left.
ranked as (

    select
        *,
        cast(conversions * 1000000 as decimal(38, 0))
        - sum(credit_units) over credit_group as credit_missing,
        cast(amount * 10000 as decimal(38, 0))
        - sum(amount_units) over credit_group as amount_missing,
        count(*) over credit_group as units,
        row_number() over (
            partition by model_code, outcome_code, unit_kind, period_type, period_start
            order by credit_remainder desc, credit desc, unit_code asc
        ) as credit_rank,
        row_number() over (
            partition by model_code, outcome_code, unit_kind, period_type, period_start
            order by amount_remainder desc, credited_amount desc, unit_code asc
        ) as amount_rank
    from cut
    window credit_group as (
        partition by model_code, outcome_code, unit_kind, period_type, period_start
    )

)

select
    model_code,
    outcome_code,
    unit_kind,
    period_type,
    period_start,
    unit_code,
    {% for part in ["credit", "amount"] %}
    {{ part }}_units
    + case
        when {{ part }}_missing between 0 and units
            then case when {{ part }}_rank <= {{ part }}_missing then 1 else 0 end
        when {{ part }}_rank = 1 then {{ part }}_missing
        else 0
    end as {{ part }}_units,
    {% endfor %}
    cast(conversions as bigint) as conversions,
    removal_effect
from ranked
