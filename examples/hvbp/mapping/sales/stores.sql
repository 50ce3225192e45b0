-- One row per hospital. The source has no names; the first two digits of a facility id are its
-- state.

with domains as (

    select *
    from
        read_csv(
            getvariable('data') || '/domain_scores.csv',
            header = true, delim = ',', all_varchar = true
        )

),

dimensions as (

    select *
    from
        read_csv(
            getvariable('data') || '/dimension_scores.csv',
            header = true, delim = ',', all_varchar = true
        )

),

hospitals as (

    select facility_id from domains
    union
    select facility_id from dimensions

)

select
    facility_id as store_id,
    'Hospital ' || facility_id as store_name,
    'state ' || left(facility_id, 2) as region
from hospitals
order by store_id
