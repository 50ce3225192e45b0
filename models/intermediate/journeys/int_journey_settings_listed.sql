-- One row: the settings of journeys in force at `as_of`.
{% set codes = [
    "decay_half_life_days", "position_end_share", "experience_days",
    "blame_lookback_days", "answer_points", "ticket_points", "delay_points",
    "minimum_bad_orders", "journey_steps", "merge_most_customers", "open_days_per_week",
] %}

with settings as (

    select
        settings.setting_code,
        settings.value
    from {{ ref("journey_settings") }} as settings
    inner join {{ source("control", "night") }} as night
        on {{ in_force("settings", "night.as_of") }}

)

select
    {% for code in codes %}
    max(value) filter (where setting_code = '{{ code }}') as {{ code }},
    {% endfor %}
    max(value) filter (where setting_code = 'opening_hour') * 3600 as opening_second,
    (
        max(value) filter (where setting_code = 'closing_hour')
        - max(value) filter (where setting_code = 'opening_hour')
    ) * 3600 as open_seconds_per_day
from settings
