-- On every day on which a template governs, its weights sum to 1.
with changes as (

    select
        subject_type,
        subject_code,
        period_type,
        valid_from as day
    from scorecard_templates
    union
    select
        subject_type,
        subject_code,
        period_type,
        valid_to as day
    from scorecard_templates
    where valid_to is not null

),

sums as (

    select
        changes.subject_type,
        changes.subject_code,
        changes.period_type,
        changes.day,
        any_value(templates.seed) as seed,
        max(templates.seed_line) as seed_line,
        sum(templates.weight) as weight
    from changes
    inner join scorecard_templates as templates
        on
            changes.subject_type = templates.subject_type
            and changes.subject_code = templates.subject_code
            and changes.period_type = templates.period_type
            and changes.day >= templates.valid_from
            and changes.day < coalesce(templates.valid_to, date '9999-12-31')
    group by
        changes.subject_type, changes.subject_code, changes.period_type, changes.day

)

select
    seed,
    seed_line,
    concat(
        'weights of ', subject_type, ' ', subject_code, ' per ', period_type, ' from ', day,
        ' sum to ', rtrim(rtrim(cast(weight as varchar), '0'), '.'), ': they must sum to 1'
    ) as problem
from sums
where weight != 1
