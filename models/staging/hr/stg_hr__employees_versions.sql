with source as (

    select * from {{ source("hr", "employees") }}

),

versions as (

    {{ versions_of_snapshots(
        "source",
        ["employee_id"],
        [
            "full_name",
            "hired_on",
            "terminated_on",
            "email",
            "salary_amount",
            "currency_code",
            "grade",
        ]
    ) }}

)

select
    employee_id,
    full_name,
    hired_on,
    terminated_on,
    email,
    salary_amount,
    currency_code,
    grade,
    listed_from,
    listed_to,
    file_id,
    file_line_no
from versions
