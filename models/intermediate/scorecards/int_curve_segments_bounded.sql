-- One row per piece of a scoring curve: from one point to the next, and a last one that caps it.
with points as (

    select * from {{ ref("scoring_curves") }}

),

paired as (

    select
        *,
        lead(attainment) over (
            partition by curve_code, valid_from order by attainment
        ) as next_attainment,
        lead(factor) over (
            partition by curve_code, valid_from order by attainment
        ) as next_factor
    from points

)

select
    curve_code,
    interpolation,
    valid_from,
    valid_to,
    attainment as from_attainment,
    next_attainment as to_attainment,
    factor as from_factor,
    case
        when interpolation = 'linear' and next_attainment is not null
            then
                cast(
                    {{ exact_divide("next_factor - factor", "next_attainment - attainment") }}
                    as decimal(18, 12)
                )
        else cast(0 as decimal(18, 12))
    end as slope
from paired
