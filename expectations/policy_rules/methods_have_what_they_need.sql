-- A scoring method needs its curve or does without, and consistency needs dimensions to be worst of.
select
    seed,
    seed_line,
    problem
from (
    select
        templates.seed,
        templates.seed_line,
        case
            when templates.scoring_method in ('curve', 'shrunken') and templates.curve_code is null
                then concat(
                    templates.measure_code, ' is scored by ', templates.scoring_method,
                    ' and has no curve_code: name a curve of scoring_curves'
                )
            when
                templates.scoring_method not in ('curve', 'shrunken')
                and templates.curve_code is not null
                then concat(
                    templates.measure_code, ' is scored by ', templates.scoring_method,
                    ', which uses no curve: leave curve_code empty'
                )
            when
                templates.minimum_probability is not null
                and templates.scoring_method != 'shrunken'
                then concat(
                    templates.measure_code, ' has a minimum_probability, which only the method ',
                    'shrunken knows: leave it empty'
                )
            when
                templates.scoring_method = 'consistency'
                and not exists (
                    select 1 from scorecard_templates as others
                    where
                        others.subject_type = templates.subject_type
                        and others.subject_code = templates.subject_code
                        and others.period_type = templates.period_type
                        and others.domain_code = templates.domain_code
                        and others.scoring_method = 'achievement_or_improvement'
                        and others.valid_from < coalesce(templates.valid_to, date '9999-12-31')
                        and coalesce(others.valid_to, date '9999-12-31') > templates.valid_from
                )
                then concat(
                    templates.measure_code, ' is the consistency of a domain without measures ',
                    'scored by achievement_or_improvement: give them the same domain_code'
                )
            when
                templates.measured_at in ('team', 'journey') and templates.subject_type != 'employee'
                then concat(
                    templates.measure_code, ' is measured at ', templates.measured_at,
                    ', which only employees have: write own'
                )
        end as problem
    from scorecard_templates as templates
) as faults
where problem is not null
