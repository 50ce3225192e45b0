-- Published total performance score of every hospital.
select
    'store' as level,
    facility_id as entity_id,
    'month' as period_type,
    date '2022-12-01' as period_start,
    cast(nullif(total_performance_score, '') as decimal(18, 12)) as score
from
    read_csv(
        getvariable('data') || '/domain_scores.csv',
        header = true, delim = ',', all_varchar = true
    )
