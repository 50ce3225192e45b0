-- Every setting of journeys is there, whole numbers are whole, shares are shares, and a company opens
-- before it closes.
select
    'policy/journey_settings' as seed,
    1 as seed_line,
    'no row for ' || needed.setting_code as problem
from (
    values
    ('gap_days'), ('opening_hour'), ('closing_hour'), ('open_days_per_week'),
    ('decay_half_life_days'), ('position_end_share'), ('experience_days'),
    ('blame_lookback_days'), ('answer_points'), ('ticket_points'), ('delay_points'),
    ('minimum_bad_orders'), ('journey_steps'), ('merge_most_customers')
) as needed (setting_code)
where
    not exists (
        select 1 from journey_settings
        where journey_settings.setting_code = needed.setting_code
    )
union all
select
    seed,
    seed_line,
    setting_code || ' ' || value || ' must be above 0' as problem
from journey_settings
where setting_code in ('gap_days', 'decay_half_life_days') and value <= 0
union all
select
    seed,
    seed_line,
    setting_code || ' ' || value || ' must be a whole number above 0' as problem
from journey_settings
where
    setting_code in (
        'open_days_per_week',
        'experience_days',
        'blame_lookback_days',
        'minimum_bad_orders',
        'journey_steps',
        'merge_most_customers'
    )
    and (value < 1 or value != floor(value))
union all
select
    seed,
    seed_line,
    'position_end_share ' || value || ' is above 0.5: two ends share no more than the whole'
        as problem
from journey_settings
where setting_code = 'position_end_share' and value > 0.5
union all
select
    seed,
    seed_line,
    setting_code || ' ' || value || ' is more than a week has days' as problem
from journey_settings
where setting_code = 'open_days_per_week' and value > 7
union all
select
    closing.seed,
    closing.seed_line,
    'closing_hour ' || closing.value || ' is not after opening_hour ' || opening.value
    || ' and at most 24' as problem
from journey_settings as closing
inner join journey_settings as opening
    on
        closing.setting_code = 'closing_hour'
        and opening.setting_code = 'opening_hour'
        and opening.valid_from < coalesce(closing.valid_to, date '9999-12-31')
        and closing.valid_from < coalesce(opening.valid_to, date '9999-12-31')
where closing.value <= opening.value or closing.value > 24
