-- One row per outcome, touchpoint and department with a share in it, in millionths that add up to
-- 1 per outcome, by largest remainder. What bad experiences are proven to cost is divided by the
-- points of the evidence and the owners of the touchpoints; the rest, which would have been lost
-- anyway, has no touchpoint and no department.
with outcomes as (

    select * from {{ ref("int_outcomes_listed") }}

),

-- A touchpoint that nobody owns on that day explains nothing.
owners as (

    select * from {{ ref("touchpoint_owners") }}

),

by_touchpoint as (

    select
        evidence.outcome_id,
        evidence.touchpoint_code,
        max(evidence.known_on) as known_on,
        count(*) as evidence_count,
        sum(evidence.points) as points
    from {{ ref("int_outcomes_evidenced") }} as evidence
    group by evidence.outcome_id, evidence.touchpoint_code

),

proven as (

    select
        by_touchpoint.outcome_id,
        by_touchpoint.touchpoint_code,
        by_touchpoint.known_on,
        by_touchpoint.evidence_count,
        cast(ratios.loss_ratio as double) as loss_ratio,
        cast(by_touchpoint.points as double) * cast(ratios.loss_ratio as double) as weight
    from by_touchpoint
    inner join outcomes
        on by_touchpoint.outcome_id = outcomes.outcome_id
    inner join {{ ref("int_loss_ratios_dated") }} as ratios
        on
            by_touchpoint.touchpoint_code = ratios.touchpoint_code
            and {{ in_force("ratios", "outcomes.outcome_on") }}
    where
        ratios.loss_ratio > 0
        and by_touchpoint.points > 0
        and exists (
            select 1 from owners
            where
                owners.touchpoint_code = by_touchpoint.touchpoint_code
                and {{ in_force("owners", "by_touchpoint.known_on") }}
        )

),

explained as (

    select
        outcome_id,
        sum(weight) as weight,
        -- Each bad experience takes its share of what the others leave.
        1 - exp(sum(ln(1 - loss_ratio))) as explained_ratio
    from proven
    group by outcome_id

),

parts as (

    select
        proven.outcome_id,
        proven.touchpoint_code,
        owners.department_code,
        proven.evidence_count,
        explained.explained_ratio * proven.weight / explained.weight
        * cast(owners.share as double) as part
    from proven
    inner join explained
        on proven.outcome_id = explained.outcome_id
    inner join owners
        on
            proven.touchpoint_code = owners.touchpoint_code
            and {{ in_force("owners", "proven.known_on") }}
    union all
    select
        outcomes.outcome_id,
        null as touchpoint_code,
        null as department_code,
        coalesce(counts.evidence_count, 0) as evidence_count,
        1 - coalesce(explained.explained_ratio, 0) as part
    from outcomes
    left join explained
        on outcomes.outcome_id = explained.outcome_id
    left join (
        select
            outcome_id,
            count(*) as evidence_count
        from {{ ref("int_outcomes_evidenced") }}
        group by outcome_id
    ) as counts
        on outcomes.outcome_id = counts.outcome_id

),

cut as (

    select
        *,
        cast(floor(round(part * 1000000, 6)) as bigint) as millionths,
        round(part * 1000000, 6) - floor(round(part * 1000000, 6)) as remainder
    from parts

),

ranked as (

    select
        *,
        1000000 - sum(millionths) over (partition by outcome_id) as missing,
        row_number() over (
            partition by outcome_id
            order by remainder desc, touchpoint_code asc nulls last, department_code asc
        ) as remainder_rank
    from cut

)

select
    ranked.outcome_id,
    ranked.touchpoint_code,
    ranked.department_code,
    ranked.evidence_count,
    cast(
        (ranked.millionths + case when ranked.remainder_rank <= ranked.missing then 1 else 0 end)
        * 0.000001 as decimal(9, 6)
    ) as share,
    case
        when ranked.touchpoint_code is not null then 'evidence'
        when explained.outcome_id is not null then 'not_explained'
        when ranked.evidence_count > 0 then 'no_proven_loss'
        else 'no_evidence'
    end as split_rule
from ranked
left join explained
    on ranked.outcome_id = explained.outcome_id
