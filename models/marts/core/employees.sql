select
    employee_id,
    hired_on,
    coalesce(terminated_on, closed_on) as terminated_on,
    grade
from {{ ref("stg_hr__employees") }}
