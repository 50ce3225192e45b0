-- A component of the CX index is a measure, a touchpoint or a stage, as its parent asks for.
select
    seed,
    seed_line,
    concat(parent_type, ' ', parent_code, ' has the unknown component ', component_code) as problem
from cx_index_weights
where
    case parent_type
        when 'touchpoint' then component_code not in (select measure_code from measures)
        when 'stage' then component_code not in (select touchpoint_code from touchpoints)
        else component_code not in (select stage_code from touchpoints)
    end
