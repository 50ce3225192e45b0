{#-
    Pairs of events of one owner that lie within one window: `window_id` names the event the window
    ends with, `member_id` an event in it (itself included). Only an event's own and the
    neighbouring stretch of time are compared, so that an owner with many events does not cost their
    square.

    `events` is a CTE with event_id, owner_id, at_second and window_seconds.
-#}
{% macro events_within_window(events) -%}
    select
        ends.event_id as window_id,
        ends.owner_id,
        members.event_id as member_id
    from (
        select
            *,
            floor(at_second / window_seconds) as stretch
        from {{ events }}
        where window_seconds > 0
    ) as ends
    inner join (
        {% for reach in [0, 1] %}
        select
            *,
            floor(at_second / window_seconds) + {{ reach }} as stretch
        from {{ events }}
        where window_seconds > 0
        {{ "union all" if not loop.last }}
        {% endfor %}
    ) as members
        on
            ends.owner_id = members.owner_id
            and ends.window_seconds = members.window_seconds
            and ends.stretch = members.stretch
            and members.at_second between ends.at_second - ends.window_seconds and ends.at_second
{%- endmacro %}
