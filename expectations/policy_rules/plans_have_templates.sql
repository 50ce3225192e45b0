-- A plan has no day without a template to score it by.
select
    plans.seed,
    plans.seed_line,
    concat(
        'plan ', plans.plan_code, ' from ', plans.valid_from, ' has no scorecard template of ',
        plans.job_role, ' per ', plans.period_type, ' on its first day: add one, or start later'
    ) as problem
from incentive_plans as plans
where
    plans.base_type != 'delivered_revenue_share'
    and not exists (
        select 1 from scorecard_templates as templates
        where
            templates.subject_type = 'employee'
            and templates.subject_code = plans.job_role
            and templates.period_type = plans.period_type
            and templates.valid_from <= plans.valid_from
            and plans.valid_from < coalesce(templates.valid_to, date '9999-12-31')
    )
union all
select
    templates.seed,
    templates.seed_line,
    concat(
        'template of ', templates.subject_code, ' per ', templates.period_type, ' ends on ',
        templates.valid_to, ' with nothing after it, plan ', plans.plan_code,
        ' goes on: begin the next template on that day'
    ) as problem
from scorecard_templates as templates
inner join incentive_plans as plans
    on
        templates.subject_code = plans.job_role
        and templates.period_type = plans.period_type
        and plans.base_type != 'delivered_revenue_share'
        and templates.valid_to >= plans.valid_from
        and templates.valid_to < coalesce(plans.valid_to, date '9999-12-31')
where
    templates.subject_type = 'employee'
    and not exists (
        select 1 from scorecard_templates as others
        where
            others.subject_type = 'employee'
            and others.subject_code = templates.subject_code
            and others.period_type = templates.period_type
            and others.valid_from <= templates.valid_to
            and templates.valid_to < coalesce(others.valid_to, date '9999-12-31')
    )
