-- A curve has one kind of interpolation, starts and ends as one, and never pays less for more.
with points as (

    select
        *,
        lag(factor) over (
            partition by curve_code, valid_from order by attainment
        ) as previous_factor,
        count(distinct interpolation) over (partition by curve_code, valid_from) as kinds
    from scoring_curves

)

select
    seed,
    seed_line,
    case
        when kinds > 1 then concat('curve ', curve_code, ' mixes linear and step')
        else concat(
            'curve ', curve_code, ' falls from ', previous_factor, ' to ', factor,
            ' at attainment ', attainment, ': more must never pay less'
        )
    end as problem
from points
where kinds > 1 or factor < previous_factor
union all
select
    points.seed,
    points.seed_line,
    concat(
        'curve ', points.curve_code, ': the points from ', points.valid_from,
        ' must replace all points of the version before on one day'
    ) as problem
from scoring_curves as points
inner join scoring_curves as others
    on
        points.curve_code = others.curve_code
        and points.valid_from > others.valid_from
        and points.valid_from < coalesce(others.valid_to, date '9999-12-31')
