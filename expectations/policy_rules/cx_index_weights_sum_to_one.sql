-- On every day on which weights of a touchpoint, a stage or the company govern, they sum to 1.
with changes as (

    select
        parent_type,
        parent_code,
        valid_from as day
    from cx_index_weights
    union
    select
        parent_type,
        parent_code,
        valid_to as day
    from cx_index_weights
    where valid_to is not null

),

sums as (

    select
        changes.parent_type,
        changes.parent_code,
        changes.day,
        any_value(weights.seed) as seed,
        max(weights.seed_line) as seed_line,
        sum(weights.weight) as weight
    from changes
    inner join cx_index_weights as weights
        on
            changes.parent_type = weights.parent_type
            and changes.parent_code = weights.parent_code
            and changes.day >= weights.valid_from
            and changes.day < coalesce(weights.valid_to, date '9999-12-31')
    group by changes.parent_type, changes.parent_code, changes.day

)

select
    seed,
    seed_line,
    concat(
        'weights of ', parent_type, ' ', parent_code, ' from ', day,
        ' sum to ', rtrim(rtrim(cast(weight as varchar), '0'), '.'), ': they must sum to 1'
    ) as problem
from sums
where weight != 1
