with estimates as (

    select * from {{ ref("int_key_touchpoints_estimated") }}
    where is_current

),

touchpoints as (

    select distinct touchpoint_code from estimates

),

settings as (

    select * from {{ ref("int_journey_settings_listed") }}

),

-- What an order that comes within the window is worth.
worth as (

    select cast(avg(cast(next_amount as double)) as decimal(18, 4)) as order_amount
    from {{ ref("int_orders_followed") }}
    where is_repurchased

),

joined as (

    select
        touchpoints.touchpoint_code,
        {% for outcome in ["repurchase", "nps"] %}
        {{ outcome }}.n as {{ outcome }}_n,
        {{ outcome }}.bad_count as {{ outcome }}_bad_count,
        {{ outcome }}.bad_mean as {{ outcome }}_bad_mean,
        {{ outcome }}.good_mean as {{ outcome }}_good_mean,
        {{ outcome }}.effect as {{ outcome }}_effect,
        {{ outcome }}.ci_low as {{ outcome }}_ci_low,
        {{ outcome }}.ci_high as {{ outcome }}_ci_high,
        {{ outcome }}.problem as {{ outcome }}_problem,
        {% endfor %}
        repurchase.ci_high < 0 and repurchase.bad_count >= settings.minimum_bad_orders
            as is_proven,
        -repurchase.effect * repurchase.bad_count as lost_orders,
        worth.order_amount
    from touchpoints
    cross join settings
    cross join worth
    {% for outcome in ["repurchase", "nps"] %}
    left join estimates as {{ outcome }}
        on
            touchpoints.touchpoint_code = {{ outcome }}.touchpoint_code
            and {{ outcome }}.outcome_code = '{{ outcome }}'
    {% endfor %}

)

select
    cast(row_number() over (
        order by
            coalesce(is_proven, false) desc,
            lost_orders desc nulls last,
            touchpoint_code asc
    ) as integer) as touchpoint_rank,
    touchpoint_code,
    {% for outcome in ["repurchase", "nps"] %}
    {{ outcome }}_n,
    {{ outcome }}_bad_count,
    {{ outcome }}_bad_mean,
    {{ outcome }}_good_mean,
    {{ outcome }}_effect,
    {{ outcome }}_ci_low,
    {{ outcome }}_ci_high,
    {{ outcome }}_problem,
    {% endfor %}
    coalesce(is_proven, false) as is_proven,
    lost_orders,
    cast(lost_orders * cast(order_amount as double) as decimal(28, 2)) as improvement_amount,
    '{{ var("company_currency") }}' as currency_code
from joined
