-- A sales role is always judged on revenue and on what customers say: that is what the scheme is
-- for.
with judged as (

    select
        templates.seed,
        max(templates.seed_line) as seed_line,
        templates.subject_code,
        templates.period_type,
        templates.valid_from,
        bool_or(not measures.is_customer_measure and measures.dimension = 'sales') as has_sales,
        bool_or(measures.is_customer_measure) as has_customers
    from scorecard_templates as templates
    inner join job_roles
        on templates.subject_code = job_roles.job_role and job_roles.is_sales_role
    inner join measures
        on templates.measure_code = measures.measure_code
    where templates.subject_type = 'employee'
    group by
        templates.seed, templates.subject_code, templates.period_type, templates.valid_from

)

select
    seed,
    seed_line,
    concat(
        'sales role ', subject_code, ' has no ',
        case when has_sales then 'customer' else 'sales' end, ' measure from ', valid_from
    ) as problem
from judged
where not has_sales or not has_customers
