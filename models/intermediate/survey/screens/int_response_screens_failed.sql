-- One row per response and screen it fails. Priority tells which screen gives the reason when there
-- are several: the plainest goes first.
{% set screens = [
    "int_responses_own_sales_screened",
    "int_responses_staff_screened",
    "int_responses_early_screened",
    "int_responses_token_screened",
    "int_responses_order_screened",
    "int_responses_device_screened",
    "int_responses_burst_screened",
    "int_responses_speed_screened",
    "int_responses_lines_screened",
] %}

{% for screen in screens %}
select
    response_id,
    screen_code,
    {{ loop.index }} as priority
from {{ ref(screen) }}
{{ "union all" if not loop.last }}
{% endfor %}
