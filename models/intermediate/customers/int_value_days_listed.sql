-- One row per day from which customers are looked at: days that are valued, days before valued
-- periods, and the days whose fits the valued days are tested with. Each carries the settings in
-- force on it.
with periods as (

    select * from {{ ref("int_value_periods_listed") }}

),

settings as (

    select * from {{ ref("value_settings") }}
    where segment = '*'

),

first_purchases as (

    select min(ordered_on) as first_ordered_on from {{ ref("int_customer_purchases_dated") }}

),

valued_days as (

    select distinct valued_on from periods

),

-- Where there is less history than two tests are long, half of it is the test.
calibrations as (

    select
        valued_days.valued_on,
        least(
            {{ add_days("valued_days.valued_on", -1) }},
            greatest(
                {{ add_days(add_months(
                    add_days("valued_days.valued_on", 1), "-cast(settings.value as integer)"
                ), -1) }},
                {{ add_days(
                    "first_purchases.first_ordered_on",
                    "cast(floor(" ~ days_between(
                        "first_purchases.first_ordered_on", "valued_days.valued_on"
                    ) ~ " / 2.0) as integer)",
                ) }}
            )
        ) as calibrated_on
    from valued_days
    cross join first_purchases
    inner join settings
        on
            settings.setting_code = 'holdout_months'
            and {{ in_force("settings", "valued_days.valued_on") }}
    where first_purchases.first_ordered_on < valued_days.valued_on

),

days as (

    select valued_on as looked_from from valued_days
    union
    select began_on as looked_from from periods
    union
    select calibrated_on as looked_from from calibrations

),

settings_by_day as (

    select
        days.looked_from,
        {% for code in [
            "clv_yearly_discount",
            "default_margin_ratio",
            "fit_minimum_customers",
            "fit_minimum_repeaters",
            "merged_day_correction_days",
        ] %}
        max(settings.value) filter (where settings.setting_code = '{{ code }}')
            as {{ code }}{{ "," if not loop.last }}
        {% endfor %}
    from days
    inner join settings
        on {{ in_force("settings", "days.looked_from") }}
    group by days.looked_from

)

select
    settings_by_day.*,
    valued_days.valued_on is not null as is_valued,
    calibrations.calibrated_on
from settings_by_day
left join valued_days
    on settings_by_day.looked_from = valued_days.valued_on
left join calibrations
    on settings_by_day.looked_from = calibrations.valued_on
