select
    employee_id,
    valid_from,
    nullif(valid_to, cast('9999-12-31' as date)) as valid_to,
    department_code,
    job_role,
    store_id,
    manager_id,
    fte
from {{ ref("int_assignments_bounded") }}
