-- One row per sales territory: this company has no stores, it sells from territories.
-- T11 ("NA", no territory) has neither sales nor people; it stays, because the source lists it.

with territories as (

    select *
    from
        read_csv(
            getvariable('data') || '/sales/territories.csv',
            header = true, delim = ',', all_varchar = true
        )

)

select
    'T' || SalesTerritoryKey as store_id,
    Region as store_name,
    TerritoryGroup as region
from territories
order by store_id
