-- Every setting has a row for all customers, what is set per segment is only what may be, and
-- shares are shares.
select
    'policy/value_settings' as seed,
    1 as seed_line,
    'no row for ' || needed.setting_code || ' and segment *' as problem
from (
    values
    ('churn_horizon_days'), ('clv_yearly_discount'), ('default_margin_ratio'),
    ('fit_minimum_customers'), ('fit_minimum_repeaters'), ('holdout_months'),
    ('clv_history_months'), ('merged_day_correction_days'), ('churn_minimum_customers'),
    ('action_share'), ('action_hold_out_share'), ('action_window_days')
) as needed (setting_code)
where
    not exists (
        select 1 from value_settings
        where
            value_settings.setting_code = needed.setting_code
            and value_settings.segment = '*'
    )
union all
select
    seed,
    seed_line,
    setting_code || ' cannot differ by segment' as problem
from value_settings
where segment != '*' and setting_code != 'churn_horizon_days'
union all
select
    seed,
    seed_line,
    setting_code || ' ' || value || ' is not between 0 and 1' as problem
from value_settings
where
    setting_code in (
        'default_margin_ratio',
        'action_share',
        'action_hold_out_share',
        'merged_day_correction_days',
        'clv_yearly_discount'
    )
    and value > 1
union all
select
    seed,
    seed_line,
    setting_code || ' must be a whole number above 0' as problem
from value_settings
where
    setting_code in (
        'churn_horizon_days',
        'holdout_months',
        'clv_history_months',
        'action_window_days',
        'fit_minimum_customers',
        'fit_minimum_repeaters',
        'churn_minimum_customers'
    )
    and (value < 1 or value != floor(value))
