-- Shares: Newcombe (1998), method 3, and statsmodels' proportion_confint(method="wilson"). NPS: the
-- adjusted Wald interval of Rocks (2016). Both at the precision printed. The test is of macros and
-- reads no model.
{% set wilson_cases = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (1, 29, 0.0061, 0.1718),
    (0, 10, 0.0, 0.2775),
    (8, 10, 0.4902, 0.9433),
    (10, 10, 0.7225, 1.0),
] %}
{% set nps_cases = [
    (25, 10, 50, 28.302, 21.002),
    (50, 20, 100, 29.126, 15.075),
    (200, 80, 400, 29.777, 7.624),
] %}

with wilson_bounds as (

    {% for successes, n, low, high in wilson_cases %}
    select
        'wilson {{ successes }} of {{ n }}' as figure,
        {{ wilson_bound(successes, n, "low") }} as low,
        {{ wilson_bound(successes, n, "high") }} as high,
        {{ low }} as published_low,
        {{ high }} as published_high,
        0.00005 as tolerance
    {{ "union all" if not loop.last }}
    {% endfor %}

),

nps_bounds as (

    {% for promoters, detractors, n, centre, half_width in nps_cases %}
    select
        'nps {{ promoters }} - {{ detractors }} of {{ n }}' as figure,
        {{ nps_bound(promoters, detractors, n, "low") }} as low,
        {{ nps_bound(promoters, detractors, n, "high") }} as high,
        {{ centre }} - {{ half_width }} as published_low,
        {{ centre }} + {{ half_width }} as published_high,
        0.001 as tolerance
    {{ "union all" if not loop.last }}
    {% endfor %}

),

-- A half promoters and a sixth detractors: one answer varies by 5/9. A half and a fifth of 50: Wald
-- +-21.65.
variances as (

    select
        'variance of one answer' as figure,
        {{ nps_answer_variance("3.0e0", "1.0e0", "6.0e0") }} as low,
        100 * {{ z_95() | trim }}
        * sqrt({{ nps_answer_variance("25.0e0", "10.0e0", "50.0e0") }} / 50) as high,
        5.0e0 / 9 as published_low,
        21.65 as published_high,
        0.005 as tolerance

),

-- Nothing is known of nobody, nor of more than there were.
empty as (

    select
        'no interval' as figure,
        coalesce({{ wilson_bound(0, 0, "low") }}, {{ wilson_bound(3, 2, "low") }}, 0) as low,
        coalesce({{ nps_bound(0, 0, 0, "high") }}, 0) as high,
        0 as published_low,
        0 as published_high,
        0 as tolerance

),

figures as (

    select * from wilson_bounds
    union all
    select * from nps_bounds
    union all
    select * from variances
    union all
    select * from empty

)

select *
from figures
where
    abs(low - published_low) > tolerance
    or abs(high - published_high) > tolerance
    or low is null
    or high is null
