-- One row: how many answers and detractors there were when the journeys were made, counted without
-- any of their models. Within the day answers come and journeys stay: what reads both compares with
-- this.
select
    count(*) filter (
        where measure_code in ('nps', 'csat', 'ces') and touchpoint_code is not null
    ) as answers,
    count(*) filter (where measure_code = 'nps' and is_bottom_box) as detractors
from {{ ref("int_answers_scored") }}
where exclusion_reason is null
