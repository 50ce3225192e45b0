-- One row per share or points result that has peers and enough answers to be shown: how far it is
-- signal and how far chance, the posterior of its true value given what its peers are like, and the
-- probability that it is among the best and the worst quarter of them. Peers of an employee are the
-- holders of the same job role, of all others the entities of their level, in the same period. An
-- employee's day has none: a handful of answers beside handfuls ranks people by chance.
--
-- Shares: beta-binomial; points: normal-normal. The prior is fitted by moments (Kleinman 1973) with
-- the correction of Efron and Morris (1975) for a spread that is itself only estimated, (k - 3) /
-- (k - 1), so that few peers never pull anybody to their mean entirely. Ranks follow Lin, Louis,
-- Paddock and Ridgeway (2006): the probability of exceeding the value that a quarter of the peers
-- are expected to.
{{ config(
    materialized="patched",
    patched_by="int_kpi_periods_touched",
    partition=["period_type", "period_start"],
) }}

with estimated as (

    {{ rows_of_touched_periods(
        ref("int_kpis_estimated"), only_of={"day": "existing.level != 'employee'"}
    ) }}

),

measures as (

    select * from {{ ref("measures") }}

),

roles as (

    select * from {{ ref("int_employees_peered") }}

),

measured as (

    select
        estimated.measure_code,
        estimated.level,
        estimated.entity_id,
        estimated.period_type,
        estimated.period_start,
        measures.unit,
        measures.direction,
        estimated.n >= measures.minimum_n_shown as is_shown,
        cast(estimated.n as double) as n,
        cast(estimated.value as double) as value,
        cast(estimated.numerator as double) as successes,
        estimated.favourable_count,
        estimated.unfavourable_count,
        case when estimated.level = 'employee' then estimated.entity_id end as employee_id
    from estimated
    inner join measures
        on
            estimated.measure_code = measures.measure_code
            and {{ in_force("measures", "estimated.period_start") }}
    where
        not estimated.is_delivered
        and measures.unit in ('ratio', 'points')
        and estimated.level not in ('company', 'stage')
        and estimated.n > 0
        and estimated.value is not null
        -- Where more came back than was sold, a share has no binomial variance.
        and (measures.unit = 'points' or estimated.value between 0 and 1)

),

results as (

    select
        measured.*,
        case when measured.level = 'employee' then roles.job_role else '' end as peer_group
    from measured
    left join roles
        on
            measured.employee_id = roles.employee_id
            and measured.period_type = roles.period_type
            and measured.period_start = roles.period_start
    where measured.level != 'employee' or roles.job_role is not null

),

-- Small samples share results, and with them posteriors: each is looked at once, with how many have
-- it.
distinct_results as (

    select
        measure_code,
        level,
        peer_group,
        period_type,
        period_start,
        n,
        successes,
        value,
        max(unit) as unit,
        max(direction) as direction,
        max(case when is_shown then 1 else 0 end) as is_shown,
        cast(count(*) as double) as members,
        cast(sum(favourable_count) as double) as favourable_count,
        cast(sum(unfavourable_count) as double) as unfavourable_count
    from results
    group by
        measure_code, level, peer_group, period_type, period_start, n, successes, value

),

-- The answers of a group that is one and the same would vary by answer_variance.
pooled as (

    select
        measure_code,
        level,
        peer_group,
        period_type,
        period_start,
        max(unit) as unit,
        cast(sum(members) as bigint) as peer_count,
        {{ stable_sum("members * n") }} as total_n,
        {{ stable_sum("members * n * n") }} as sum_of_squared_n,
        {{ stable_sum("members * n * value") }} / {{ stable_sum("members * n") }} as peer_mean,
        case
            when max(unit) = 'points'
                then
                    10000 * {{ nps_answer_variance(
                        stable_sum("favourable_count"),
                        stable_sum("unfavourable_count"),
                        stable_sum("members * n"),
                    ) }}
            else
                {{ stable_sum("members * successes") }} / {{ stable_sum("members * n") }}
                * (1 - {{ stable_sum("members * successes") }} / {{ stable_sum("members * n") }})
        end as answer_variance
    from distinct_results
    group by measure_code, level, peer_group, period_type, period_start
    having sum(members) > 1 and max(is_shown) = 1

),

distances as (

    select
        results.measure_code,
        results.level,
        results.peer_group,
        results.period_type,
        results.period_start,
        {{ stable_sum("""
            results.members * results.n * power(results.value - pooled.peer_mean, 2)
        """) }} as squared_distance
    from distinct_results as results
    inner join pooled
        on
            results.measure_code = pooled.measure_code
            and results.level = pooled.level
            and results.peer_group = pooled.peer_group
            and results.period_type = pooled.period_type
            and results.period_start = pooled.period_start
    group by
        results.measure_code,
        results.level,
        results.peer_group,
        results.period_type,
        results.period_start

),

spreads as (

    select
        pooled.*,
        distances.squared_distance / (pooled.peer_count - 1) as between_variance,
        (pooled.total_n - pooled.sum_of_squared_n / pooled.total_n) / (pooled.peer_count - 1)
            as typical_n
    from pooled
    inner join distances
        on
            pooled.measure_code = distances.measure_code
            and pooled.level = distances.level
            and pooled.peer_group = distances.peer_group
            and pooled.period_type = distances.period_type
            and pooled.period_start = distances.period_start

),

-- Of one answer each nothing can be learnt about what sets peers apart: no reliability.
fitted as (

    select
        *,
        case
            when typical_n > 1
                then
                    least(
                        answer_variance,
                        greatest(
                            0.0, (between_variance - answer_variance) / (typical_n - 1)
                        )
                    )
        end as true_variance,
        case
            when peer_count > 3
                then
                    cast(peer_count - 3 as double) / (peer_count - 1)
                    * case
                        when between_variance <= answer_variance then 1.0
                        else answer_variance / between_variance
                    end
        end as typical_shrinkage
    from spreads

),

-- prior_n: the answers that the knowledge of the peers is worth. Where all answers of all peers are
-- alike the prior mean keeps half an answer of doubt.
priors as (

    select
        *,
        typical_n * typical_shrinkage / (1 - typical_shrinkage) as prior_n,
        case
            when unit = 'ratio' and (peer_mean <= 0 or peer_mean >= 1)
                then (peer_mean * total_n + 0.5) / (total_n + 1)
            else peer_mean
        end as prior_mean
    from fitted

),

posteriors as (

    select
        results.measure_code,
        results.level,
        results.peer_group,
        results.period_type,
        results.period_start,
        results.n,
        results.successes,
        results.value,
        results.unit,
        results.direction,
        results.is_shown,
        results.members,
        priors.peer_count,
        priors.peer_mean,
        case
            when priors.true_variance = 0 then 0.0
            else
                priors.true_variance
                / (
                    priors.true_variance
                    + (priors.answer_variance - priors.true_variance) / results.n
                )
        end as reliability,
        -- Without true differences no number of answers would do.
        case
            when priors.true_variance > 0
                then
                    greatest(
                        0.0,
                        0.7 / 0.3
                        * (priors.answer_variance - priors.true_variance)
                        / priors.true_variance
                        - results.n
                    )
        end as answers_needed,
        case
            when results.unit = 'ratio' then priors.prior_mean * priors.prior_n + results.successes
        end as a,
        case
            when results.unit = 'ratio'
                then (1 - priors.prior_mean) * priors.prior_n + results.n - results.successes
        end as b,
        case
            when results.unit = 'points'
                then
                    priors.prior_mean
                    + results.n / (results.n + priors.prior_n)
                    * (results.value - priors.prior_mean)
        end as mean,
        case
            when results.unit = 'points'
                then
                    sqrt(
                        priors.answer_variance * priors.prior_n / (priors.prior_n + 1)
                        / (results.n + priors.prior_n)
                    )
        end as deviation
    from distinct_results as results
    inner join priors
        on
            results.measure_code = priors.measure_code
            and results.level = priors.level
            and results.peer_group = priors.peer_group
            and results.period_type = priors.period_type
            and results.period_start = priors.period_start

),

cuts as (

    select
        measure_code,
        level,
        peer_group,
        period_type,
        period_start,
        {% for name, share in {"high_cut": 0.25, "low_cut": 0.75}.items() %}
        {{ beta_rank_cut(share, "a", "b", "members") }} as {{ name }}{{ "," if not loop.last }}
        {% endfor %}
    from posteriors
    where a is not null and peer_count > 3
    group by measure_code, level, peer_group, period_type, period_start
    union all
    select
        measure_code,
        level,
        peer_group,
        period_type,
        period_start,
        {% for name, share in {"high_cut": 0.25, "low_cut": 0.75}.items() %}
        {{ normal_rank_cut(share, "mean", "deviation", "members") }}
            as {{ name }}{{ "," if not loop.last }}
        {% endfor %}
    from posteriors
    where mean is not null and peer_count > 3
    group by measure_code, level, peer_group, period_type, period_start

),

judged as (

    select
        posteriors.*,
        case
            when posteriors.unit = 'ratio' then {{ beta_quantile("0.05", "a", "b") }}
            else posteriors.mean - {{ z_90() }} * posteriors.deviation
        end as low_bound,
        case
            when posteriors.unit = 'ratio' then {{ beta_quantile("0.95", "a", "b") }}
            else posteriors.mean + {{ z_90() }} * posteriors.deviation
        end as high_bound,
        case
            when posteriors.unit = 'ratio' then {{ beta_tail("cuts.high_cut", "a", "b") }}
            else {{ normal_tail("cuts.high_cut", "mean", "deviation") }}
        end as high_quarter,
        case
            when posteriors.unit = 'ratio' then 1 - {{ beta_tail("cuts.low_cut", "a", "b") }}
            else 1 - {{ normal_tail("cuts.low_cut", "mean", "deviation") }}
        end as low_quarter
    from posteriors
    left join cuts
        on
            posteriors.measure_code = cuts.measure_code
            and posteriors.level = cuts.level
            and posteriors.peer_group = cuts.peer_group
            and posteriors.period_type = cuts.period_type
            and posteriors.period_start = cuts.period_start
    where posteriors.is_shown = 1

),

rounded as (

    select
        measure_code,
        level,
        peer_group,
        period_type,
        period_start,
        n,
        successes,
        value,
        peer_count,
        round(peer_mean, 10) as peer_mean,
        round(reliability, 10) as reliability,
        cast(ceil(round(answers_needed, 6)) as bigint) as answers_needed,
        round(coalesce(mean, a / (a + b)), 10) as shrunken_value,
        round(
            coalesce(deviation, sqrt(a * b / (a + b + 1)) / (a + b)), 10
        ) as shrunken_sd,
        round(
            case when unit = 'points' and low_bound < -100 then -100 else low_bound end, 10
        ) as credible_low,
        round(
            case when unit = 'points' and high_bound > 100 then 100 else high_bound end, 10
        ) as credible_high,
        round(
            case when direction = 'lower_is_better' then low_quarter else high_quarter end, 6
        ) as top_quarter_probability,
        round(
            case when direction = 'lower_is_better' then high_quarter else low_quarter end, 6
        ) as bottom_quarter_probability
    from judged

)

select
    results.measure_code,
    results.level,
    results.entity_id,
    results.period_type,
    results.period_start,
    nullif(results.peer_group, '') as peer_group,
    rounded.peer_count,
    rounded.peer_mean,
    rounded.reliability,
    rounded.answers_needed,
    rounded.shrunken_value,
    rounded.shrunken_sd,
    rounded.credible_low,
    rounded.credible_high,
    rounded.top_quarter_probability,
    rounded.bottom_quarter_probability
from results
inner join rounded
    on
        results.measure_code = rounded.measure_code
        and results.level = rounded.level
        and results.peer_group = rounded.peer_group
        and results.period_type = rounded.period_type
        and results.period_start = rounded.period_start
        and results.n = rounded.n
        and results.successes = rounded.successes
        and results.value = rounded.value
