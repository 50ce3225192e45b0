{% set screens = [
    "int_employees_answers_screened",
    "int_employees_contacts_screened",
    "int_employees_invitations_screened",
    "int_employees_reassignments_screened",
    "int_employees_shift_ends_screened",
] %}

with flags as (

    {% for screen in screens %}
    select * from {{ ref(screen) }}
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    employee_id,
    period_start,
    screen_code,
    cast(total_count as bigint) as total_count,
    cast(observed_count as bigint) as observed_count,
    cast(observed_count as double) / total_count as observed_ratio,
    expected_ratio,
    is_flagged
from flags
