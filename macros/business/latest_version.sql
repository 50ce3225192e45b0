{#-
    The last delivered version of each record of an extract that delivers events.

    Order is that of delivery (file date, then file name, then line), not of arrival: the same files
    in another order, or over other nights, give the same rows.
-#}
{% macro latest_version(relation, key) -%}
    select *
    from {{ relation }}
    qualify
        row_number() over (
            partition by {{ key | join(", ") }}
            order by _delivery_key desc, _line_no desc, _file_id desc
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
    from ({{ latest_version(relation, key) }}) as latest
    inner join (
        select
            _delivered_at,
            lead(_delivered_at) over (order by _delivered_at) as next_delivered_at
        from {{ relation }}
        group by _delivered_at
    ) as snapshots
        on latest._delivered_at = snapshots._delivered_at
{%- endmacro %}
