-- A share of a salary, a gate and a multiplier are small numbers; 5 where 0.05 was meant is a
-- hundred bonuses. Amounts of money are whole positive numbers of a plan that can use them.
select
    seed,
    seed_line,
    problem
from (
    select
        plans.seed,
        plans.seed_line,
        case
            when plans.cap_factor > 5
                then concat(
                    'plan ', plans.plan_code, ' caps at ', plans.cap_factor,
                    ' times the base: write a factor, 1.5 for 150 percent'
                )
            when
                plans.gate_minimum > 1
                and gates.unit = 'ratio'
                then concat(
                    'plan ', plans.plan_code, ': the gate of ', plans.gate_measure_code, ' at ',
                    plans.gate_minimum, ' can never be reached: write a share, 0.6 for 60 percent'
                )
            when
                plans.minimum_per_sale is not null
                and plans.base_type != 'delivered_revenue_share'
                then concat(
                    'plan ', plans.plan_code, ' of base_type ', plans.base_type,
                    ' sells nothing: leave minimum_per_sale empty'
                )
            when plans.pool_amount = 0
                then concat(
                    'plan ', plans.plan_code, ' has a pool of 0: leave pool_amount empty for no pool'
                )
            when plans.gate_effect is not null and plans.gate_measure_code is null
                then concat(
                    'plan ', plans.plan_code, ' has a gate_effect and no gate: leave it empty'
                )
        end as problem
    from incentive_plans as plans
    left join measures as gates
        on
            plans.gate_measure_code = gates.measure_code
            and plans.valid_from >= gates.valid_from
            and plans.valid_from < coalesce(gates.valid_to, date '9999-12-31')
    union all
    select
        targets.seed,
        targets.seed_line,
        case
            when measures.unit = 'ratio' and targets.target > 1
                then concat(
                    'target ', targets.target, ' of ', targets.measure_code,
                    ' can never be reached: write a share, 0.75 for 75 percent'
                )
        end as problem
    from measure_targets as targets
    inner join measures
        on
            targets.measure_code = measures.measure_code
            and targets.valid_from >= measures.valid_from
            and targets.valid_from < coalesce(measures.valid_to, date '9999-12-31')
) as faults
where problem is not null
