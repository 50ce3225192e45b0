-- One row per share or score result of a store, department or employee: how far it is signal and
-- how far chance, and the value shrunken towards its peers accordingly (normal-normal, moments).
-- Peers are the entities of one level and period.
with results as (

    select
        measure_code,
        level,
        entity_id,
        period_type,
        period_start,
        cast(n as double) as n,
        cast(value as double) as value,
        case
            when unit = 'points'
                then
                    10000 * {{ nps_answer_variance(
                        "cast(favourable_count as double)",
                        "cast(unfavourable_count as double)",
                        "cast(n as double)",
                    ) }}
            else cast(value as double) * (1 - cast(value as double))
        end as answer_variance
    from {{ ref("int_kpis_valued") }}
    where
        origin = 'computed'
        and unit in ('ratio', 'points')
        and level in ('store', 'department', 'employee')
        and n > 0
        and value is not null
        -- Where more came back than was sold, a share has no binomial variance.
        and (unit = 'points' or value between 0 and 1)

),

peer_groups as (

    select
        measure_code,
        level,
        period_type,
        period_start,
        count(*) as entity_count,
        {{ stable_sum("n") }} as total_n,
        {{ stable_sum("n * n") }} as sum_of_squared_n,
        {{ stable_sum("n * value") }} / {{ stable_sum("n") }} as peer_mean,
        {{ stable_sum("n * answer_variance") }} / {{ stable_sum("n") }} as answer_variance
    from results
    group by measure_code, level, period_type, period_start
    having count(*) > 1

),

spreads as (

    select
        results.measure_code,
        results.level,
        results.period_type,
        results.period_start,
        {{ stable_sum("results.n * power(results.value - peer_groups.peer_mean, 2)") }}
            as squared_distance
    from results
    inner join peer_groups
        on
            results.measure_code = peer_groups.measure_code
            and results.level = peer_groups.level
            and results.period_type = peer_groups.period_type
            and results.period_start = peer_groups.period_start
    group by results.measure_code, results.level, results.period_type, results.period_start

),

true_variances as (

    select
        peer_groups.*,
        greatest(
            0.0,
            (
                spreads.squared_distance
                - (peer_groups.entity_count - 1) * peer_groups.answer_variance
            ) / nullif(peer_groups.total_n - peer_groups.sum_of_squared_n / peer_groups.total_n, 0)
        ) as true_variance
    from peer_groups
    inner join spreads
        on
            peer_groups.measure_code = spreads.measure_code
            and peer_groups.level = spreads.level
            and peer_groups.period_type = spreads.period_type
            and peer_groups.period_start = spreads.period_start

),

reliabilities as (

    select
        results.measure_code,
        results.level,
        results.entity_id,
        results.period_type,
        results.period_start,
        results.value,
        true_variances.peer_mean,
        true_variances.answer_variance / results.n as chance_variance,
        case
            -- No spread among the peers and none among the answers: nothing to tell anybody apart
            -- by.
            when true_variances.true_variance + true_variances.answer_variance = 0 then 0.0
            else
                true_variances.true_variance
                / (true_variances.true_variance + true_variances.answer_variance / results.n)
        end as reliability
    from results
    inner join true_variances
        on
            results.measure_code = true_variances.measure_code
            and results.level = true_variances.level
            and results.period_type = true_variances.period_type
            and results.period_start = true_variances.period_start

)

select
    measure_code,
    level,
    entity_id,
    period_type,
    period_start,
    reliability,
    peer_mean + reliability * (value - peer_mean) as shrunken_value,
    sqrt(reliability * chance_variance) as shrunken_sd
from reliabilities
