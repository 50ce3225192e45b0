-- Published points of every hospital and dimension.
select
    'store' as level,
    facility_id as entity_id,
    'month' as period_type,
    date '2022-12-01' as period_start,
    lower(replace(trim(dimension), ' ', '_')) as measure_code,
    cast(nullif(achievement_points, '') as integer) as achievement_points,
    cast(nullif(improvement_points, '') as integer) as improvement_points,
    cast(nullif(dimension_score, '') as integer) as method_score
from
    read_csv(
        getvariable('data') || '/dimension_scores.csv',
        header = true, delim = ',', all_varchar = true
    )
