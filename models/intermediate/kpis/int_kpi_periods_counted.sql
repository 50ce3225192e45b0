-- One row per period: the stamp of everything its results were made from. Built after all of them.
-- depends_on: {{ ref("int_kpis_summed") }}
-- depends_on: {{ ref("int_kpis_estimated") }}
-- depends_on: {{ ref("int_kpis_shrunken") }}
{{ config(
    materialized="patched",
    patched_by="int_kpi_periods_touched",
    partition=["period_type", "period_start"],
) }}

select
    period_type,
    period_start,
    period_stamp
from {{ ref("int_kpi_periods_touched") }}
where period_stamp is not null
