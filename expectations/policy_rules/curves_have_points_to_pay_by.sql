-- A curve needs the points between which it pays: a linear one at least two, and, where scores or
-- attainments run over it, one at the target, from which 100 points or the whole bonus are read.
with used as (

    select distinct curve_code from (
        select curve_code from scorecard_templates where curve_code is not null
        union all
        select score_curve_code as curve_code from incentive_plans
    ) as named

),

curves as (

    select
        any_value(seed) as seed,
        min(seed_line) as seed_line,
        curve_code,
        valid_from,
        any_value(interpolation) as interpolation,
        count(*) as points,
        min(attainment) as first_attainment,
        max(attainment) as last_attainment,
        count(*) filter (where attainment = 1) as target_points
    from scoring_curves
    group by curve_code, valid_from

)

select
    curves.seed,
    curves.seed_line,
    case
        when curves.interpolation = 'linear' and curves.points < 2
            then concat(
                'curve ', curves.curve_code, ' from ', curves.valid_from,
                ' has one point: a linear curve needs at least two, add the missing one'
            )
        else concat(
            'curve ', curves.curve_code, ' from ', curves.valid_from, ' runs from ',
            curves.first_attainment, ' to ', curves.last_attainment,
            ' and has no point at attainment 1: add the point that says what the target pays'
        )
    end as problem
from curves
inner join used on curves.curve_code = used.curve_code
where
    (curves.interpolation = 'linear' and curves.points < 2)
    or (
        curves.target_points = 0
        and curves.first_attainment < 1
        and curves.last_attainment > 1
    )
