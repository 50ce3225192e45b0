-- One row per department. GroupName is a heading over departments, not a department that people
-- work in, so that it makes no parent.

with departments as (

    select *
    from
        read_csv(
            getvariable('data') || '/hr/departments.csv',
            header = true, delim = ',', all_varchar = true
        )

)

select
    'D' || DepartmentID as department_code,
    Name as department_name
from departments
order by department_code
