select
    seed,
    seed_line,
    concat('job role ', job_role, ' is not known in job_roles') as problem
from (
    select
        seed,
        seed_line,
        subject_code as job_role
    from scorecard_templates
    where subject_type = 'employee'
    union all
    select
        seed,
        seed_line,
        job_role
    from incentive_plans
    union all
    select
        seed,
        seed_line,
        job_role
    from promotion_rules
    union all
    select
        seed,
        seed_line,
        next_job_role as job_role
    from promotion_rules
) as named
where job_role != '*' and job_role not in (select job_role from job_roles)
