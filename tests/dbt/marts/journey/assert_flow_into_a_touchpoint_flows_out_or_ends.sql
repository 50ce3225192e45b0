-- In every period, level and entity: what comes to a touchpoint leaves it, and what starts ends. In
-- the flow by steps likewise, step by step.
with moves as (

    select
        concat(
            period_type, '/', level, '/', entity_id, '/',
            cast(period_start as {{ dbt.type_string() }})
        ) as flow,
        0 as step_no,
        from_touchpoint,
        to_touchpoint,
        transition_count as moved,
        0 as steps_on
    from {{ ref("transitions") }}
    union all
    select
        concat(
            'steps/', level, '/', entity_id, '/',
            cast(period_start as {{ dbt.type_string() }})
        ) as flow,
        step_no,
        from_touchpoint,
        to_touchpoint,
        journey_count as moved,
        1 as steps_on
    from {{ ref("sankey_edges") }}

),

balances as (

    select
        flow,
        step_no + steps_on as step_no,
        to_touchpoint as touchpoint,
        moved as balance
    from moves
    where to_touchpoint != 'end'
    union all
    select
        flow,
        step_no,
        from_touchpoint as touchpoint,
        -moved as balance
    from moves
    where from_touchpoint != 'start'
    union all
    select
        flow,
        -1 as step_no,
        'start and end' as touchpoint,
        case when from_touchpoint = 'start' then moved else 0 end
        - case when to_touchpoint = 'end' then moved else 0 end as balance
    from moves

)

select
    flow,
    step_no,
    touchpoint,
    sum(balance) as balance
from balances
group by flow, step_no, touchpoint
having sum(balance) != 0
