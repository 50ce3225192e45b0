-- Published base, consistency and domain score of every hospital.
select
    'store' as level,
    facility_id as entity_id,
    'month' as period_type,
    date '2022-12-01' as period_start,
    'experience' as domain_code,
    cast(nullif(base_score, '') as integer) as base_score,
    cast(nullif(consistency_score, '') as integer) as consistency_score,
    cast(nullif(experience, '') as decimal(24, 14)) as score
from
    read_csv(
        getvariable('data') || '/domain_scores.csv',
        header = true, delim = ',', all_varchar = true
    )
