-- On every day on which a touchpoint has owners, their shares sum to 1.
with changes as (

    select
        touchpoint_code,
        valid_from as day
    from touchpoint_owners
    union
    select
        touchpoint_code,
        valid_to as day
    from touchpoint_owners where valid_to is not null

),

sums as (

    select
        changes.touchpoint_code,
        changes.day,
        any_value(owners.seed) as seed,
        max(owners.seed_line) as seed_line,
        sum(owners.share) as share
    from changes
    inner join touchpoint_owners as owners
        on
            changes.touchpoint_code = owners.touchpoint_code
            and changes.day >= owners.valid_from
            and changes.day < coalesce(owners.valid_to, date '9999-12-31')
    group by changes.touchpoint_code, changes.day

)

select
    seed,
    seed_line,
    concat(
        'shares of ', touchpoint_code, ' from ', day, ' sum to ',
        rtrim(rtrim(cast(share as varchar), '0'), '.'), ': they must sum to 1'
    ) as problem
from sums
where share != 1
