-- Floor, threshold, target and stretch stand in the order of the measure's direction, and a target
-- can be divided by.
select
    targets.seed,
    targets.seed_line,
    case
        when targets.target <= 0
            then concat('target ', targets.target, ' of ', targets.measure_code, ' must be above 0')
        else concat(
            'target ', targets.target, ' of ', targets.measure_code, ' must be ',
            case measures.direction when 'higher_is_better' then 'above' else 'below' end,
            ' the threshold ', targets.threshold, ' and not beyond the stretch ', targets.stretch
        )
    end as problem
from measure_targets as targets
inner join measures
    on targets.measure_code = measures.measure_code
where
    targets.target <= 0
    or (
        measures.direction = 'higher_is_better'
        and (targets.target < targets.threshold or targets.target > targets.stretch)
    )
    or (
        measures.direction = 'lower_is_better'
        and (targets.target > targets.threshold or targets.target < targets.stretch)
    )
