-- One row per hospital and measure: the eight dimensions of the patient survey with what they are
-- judged against, and the scores of the domains that others measure.
--
-- A dimension without a performance rate, and a domain without a score, is not delivered: a missing
-- measure. The programme reports no count of answers (it publishes no hospital under 100), so that
-- n is 1: one published figure.

with dimensions as (

    select *
    from
        read_csv(
            getvariable('data') || '/dimension_scores.csv',
            header = true, delim = ',', all_varchar = true
        )

),

domains as (

    select *
    from
        read_csv(
            getvariable('data') || '/domain_scores.csv',
            header = true, delim = ',', all_varchar = true
        )

),

domain_scores as (

    unpivot (select facility_id, clinical_outcomes, safety, efficiency from domains)
    on clinical_outcomes, safety, efficiency
    into name measure_code value published

),

-- A domain score is ten times the points over the number of its measures, a sixth at the finest.
-- The file prints twelve decimals, the total was taken of the unrounded score: 6.666666666667 is
-- 20/3. Carrying 14 decimals is enough for a total of twelve. A score that is no sixth stays as
-- printed.
sixths as (

    select
        facility_id,
        measure_code,
        cast(published as decimal(28, 14)) as published,
        cast(
            cast(
                (cast(round(cast(published as decimal(28, 12)) * 6, 0) as hugeint) * 100000000000000 + 3)
                // 6 as decimal(28, 0)
            ) * 0.00000000000001 as decimal(28, 14)
        ) as nearest_sixth
    from domain_scores
    where published != ''

),

measure_values as (

    select
        lower(replace(trim(dimension), ' ', '_')) as measure_code,
        facility_id as entity_id,
        cast(performance_pct as decimal(28, 14)) as value,
        cast(floor_pct as decimal(18, 4)) as floor,
        cast(threshold_pct as decimal(18, 4)) as threshold,
        cast(benchmark_pct as decimal(18, 4)) as benchmark,
        cast(baseline_pct as decimal(18, 4)) as baseline
    from dimensions
    where performance_pct != ''

    union all by name

    select
        measure_code,
        facility_id as entity_id,
        case
            when cast(nearest_sixth as decimal(28, 12)) = published then nearest_sixth
            else published
        end as value
    from sixths

)

-- The month in which the programme's year of measurement ends stands for all of it.
select
    measure_code,
    'store' as level,
    entity_id,
    date '2022-12-01' as period_start,
    value,
    1 as n,
    floor,
    threshold,
    benchmark,
    baseline
from measure_values
order by measure_code, entity_id
