-- A plan says what its base is, and a gate says all or nothing of itself.
select
    seed,
    seed_line,
    problem
from (
    select
        seed,
        seed_line,
        case
            when base_type in ('salary_share', 'amount') and base_value is null
                then concat('plan ', plan_code, ' of base_type ', base_type, ' needs a base_value')
            when base_type = 'salary_share' and base_value > 1
                then concat(
                    'plan ', plan_code, ' pays ', base_value,
                    ' times the salary: write a share, 0.05 for 5 percent'
                )
            when base_type like 'delivered%' and base_measure_code is null
                then concat(
                    'plan ', plan_code, ' of base_type ', base_type, ' needs a base_measure_code'
                )
            when
                base_type like 'delivered%'
                and base_measure_code not in (
                    select measure_code from measures where is_pay_parameter
                )
                then concat(
                    'plan ', plan_code, ': ', base_measure_code,
                    ' is no pay parameter in measures'
                )
            when
                (gate_measure_code is null) != (gate_minimum is null)
                or (gate_measure_code is null) != (gate_factor is null)
                or (gate_measure_code is null) != (gate_measured_at is null)
                then concat(
                    'plan ', plan_code,
                    ': a gate needs its measure, level, minimum and factor, or none of them'
                )
            when currency_code != (select currency_code from company)
                then concat(
                    'plan ', plan_code, ' pays in ', currency_code, ', the company counts in ',
                    (select currency_code from company)
                )
        end as problem
    from incentive_plans
) as faults
where problem is not null
