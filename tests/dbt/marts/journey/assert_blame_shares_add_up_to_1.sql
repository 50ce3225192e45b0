-- Every outcome is divided, exactly and once; every answer of a detractor that counts is one.
select
    outcomes.outcome_id,
    sum(split.share) as share
from {{ ref("outcomes") }} as outcomes
full outer join {{ ref("blame_split") }} as split
    on outcomes.outcome_id = split.outcome_id
group by outcomes.outcome_id
having coalesce(sum(split.share), 0) != 1 or outcomes.outcome_id is null
union all
select
    'detractors' as outcome_id,
    counted.detractors as share
from {{ ref("int_journey_answers_counted") }} as counted
where
    counted.detractors != (
        select count(*) from {{ ref("outcomes") }}
        where outcome_code = 'detractor'
    )
