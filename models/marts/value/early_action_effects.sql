select
    action_month,
    window_end,
    acted_customers,
    held_out_customers,
    acted_returned,
    held_out_returned,
    uplift_ratio,
    ci_low,
    ci_high,
    missing_reason
from {{ ref("int_early_actions_followed") }}
