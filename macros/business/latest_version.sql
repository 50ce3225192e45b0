{#-
    Order of delivery: file date, then file name, then line; `direction` is `desc` for the last
    first. It does not depend on arrival: the same files in another order, or over other nights,
    give the same rows.
-#}
{% macro delivery_order(direction="", relation="") -%}
    {%- for name in ("_delivery_key", "_line_no", "_file_id") -%}
        {{ relation ~ "." if relation }}{{ name }} {{ direction }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#-
    The last delivered version of each record of an extract that delivers events.

    Most records come once, and only the others are put in the order of their delivery. With
    `first_of` every row also has `version_count` and, as `first_...`, the first delivered value of
    that column.
-#}
{% macro latest_version(relation, key, first_of=none) -%}
    {%- set same_record -%}
        {%- for name in key -%}
            delivered.{{ name }} = repeated.{{ name }} {{- " and " if not loop.last }}
        {%- endfor -%}
    {%- endset -%}
    {%- set record -%}
        {%- for name in key -%} delivered.{{ name }} {{- ", " if not loop.last }} {%- endfor -%}
    {%- endset -%}
    with repeated as (
        select {{ key | join(", ") }}
        from {{ relation }}
        group by {{ key | join(", ") }}
        having count(*) > 1
    )

    select
        delivered.*
        {%- if first_of -%}
            , delivered.{{ first_of }} as first_{{ first_of }}, 1 as version_count
        {%- endif %}
    from {{ relation }} as delivered
    left join repeated on {{ same_record }}
    where repeated.{{ key[0] }} is null
    union all
    select
        delivered.*
        {%- if first_of -%}
            , first_value(delivered.{{ first_of }}) over (
                partition by {{ record }}
                order by {{ delivery_order(relation="delivered") }}
            ) as first_{{ first_of }},
            count(*) over (partition by {{ record }}) as version_count
        {%- endif %}
    from {{ relation }} as delivered
    inner join repeated on {{ same_record }}
    qualify
        row_number() over (
            partition by {{ record }}
            order by {{ delivery_order("desc", "delivered") }}
        ) = 1
{%- endmacro %}

{#-
    The last delivered version of each record of an extract that delivers full lists.

    `gone_on` is the day of the first list without the record: a key that is gone is closed, not
    deleted.
-#}
{% macro latest_of_snapshots(relation, key) -%}
    select
        latest.*,
        {{ local_day("snapshots.next_delivered_at") }} as gone_on
    from (
        select *
        from {{ relation }}
        qualify
            row_number() over (
                partition by {{ key | join(", ") }}
                order by {{ delivery_order("desc") }}
            ) = 1
    ) as latest
    inner join ({{ lists_in_order(relation) }}) as snapshots
        on latest._delivery_key = snapshots._delivery_key
{%- endmacro %}

{#-
    The full lists of an extract, each with the one that replaced it. A list delivered again under
    its own name replaces the first one, though both are of the same moment: the delivery key tells
    them apart.
-#}
{% macro lists_in_order(relation) -%}
    select
        _delivery_key,
        _delivered_at,
        row_number() over (order by _delivery_key) as list_no,
        lead(_delivered_at) over (order by _delivery_key) as next_delivered_at
    from {{ relation }}
    group by _delivery_key, _delivered_at
{%- endmacro %}

{#-
    Every version of the records of an extract that delivers full lists, with its validity range.

    A changed record begins a new range; a key that is gone ends its last one; one that comes back
    begins another. Ranges are half-open, in UTC, from list to list; the last one is open.
-#}
{% macro versions_of_snapshots(relation, key, attributes) -%}
    {%- set by_key = key | join(", ") -%}
    select
        {{ by_key }},
        {{ attributes | join(", ") }},
        min(_delivered_at) as listed_from,
        case
            when max(list_no) < max(last_list_no) then max_by(next_delivered_at, list_no)
        end as listed_to,
        max_by(_file_id, list_no) as file_id,
        max_by(_line_no, list_no) as file_line_no
    from (
        select
            *,
            sum(case when is_new then 1 else 0 end)
                over (partition by {{ by_key }} order by list_no) as version_no
        from (
            select
                listed.*,
                snapshots.list_no,
                snapshots.next_delivered_at,
                max(snapshots.list_no) over () as last_list_no,
                coalesce(
                    lag(snapshots.list_no) over by_record <> snapshots.list_no - 1
                    {%- for name in attributes %}
                        or lag(listed.{{ name }}) over by_record is distinct from listed.{{ name }}
                    {%- endfor %},
                    true
                ) as is_new
            from {{ relation }} as listed
            inner join ({{ lists_in_order(relation) }}) as snapshots
                on listed._delivery_key = snapshots._delivery_key
            window by_record as (
                partition by
                    {%- for name in key %} listed.{{ name }}{{ "," if not loop.last }}{% endfor %}
                order by snapshots.list_no
            )
        ) as compared
    ) as numbered
    group by {{ by_key }}, {{ attributes | join(", ") }}, version_no
{%- endmacro %}
