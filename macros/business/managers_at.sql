{#-
    Who manages a place on the days that `relation` asks about: whoever most people there report to.

    A place is what `keys` name, of `store_id` and `owning_department_code`; one row per
    `interaction_on` and place with `manager_id`, none where nobody there reports to anybody.
-#}
{% macro managers_at(relation, keys) -%}
    {%- set assigned = {"store_id": "store_id", "owning_department_code": "department_code"} -%}
    {%- set place -%}
        places.interaction_on
        {%- for key in keys -%} , places.{{ key }} {%- endfor -%}
    {%- endset -%}
    select {{ place }}, assignments.manager_id
    from (select distinct interaction_on, {{ keys | join(", ") }} from {{ relation }}) as places
    inner join {{ ref("int_assignments_bounded") }} as assignments
        on
            {{ in_force("assignments", "places.interaction_on") }}
            {%- for key in keys %}
                and places.{{ key }} = assignments.{{ assigned[key] }}
            {%- endfor %}
    where assignments.manager_id is not null
    group by {{ place }}, assignments.manager_id
    qualify
        row_number() over (
            partition by {{ place }} order by count(*) desc, assignments.manager_id asc
        ) = 1
{%- endmacro %}
