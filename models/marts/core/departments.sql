select
    department_code,
    department_name,
    parent_code,
    closed_on is null as is_current
from {{ ref("stg_hr__departments") }}
