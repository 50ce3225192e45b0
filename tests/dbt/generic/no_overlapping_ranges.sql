{#- Half-open date ranges of one entity that overlap. -#}
{% test no_overlapping_ranges(model, partition_by, lower_bound, upper_bound) %}
    select *
    from (
        select
            *,
            lead({{ lower_bound }}) over (
                partition by {{ partition_by }} order by {{ lower_bound }}
            ) as next_lower_bound
        from {{ model }}
    ) as ranges
    where next_lower_bound < coalesce({{ upper_bound }}, cast('9999-12-31' as date))
{% endtest %}
