-- One row per day of which the answers are not those that its counts were made from: new,
-- corrected, credited or weighed otherwise, screened, or moved to another day. A correction that
-- moves an answer touches the day it leaves and the day it comes to. Another version of the code
-- touches all days.
with answers as (

    select
        submitted_on as date_day,
        row_stamp
    from {{ ref("int_answers_scored") }}
    where measure_code is not null and submitted_on is not null

),

units as (

    select coalesce(
        sum({{ row_stamp(["measure_code", "unit", "valid_from", "valid_to"]) }}), 0
    ) as units_stamp
    from {{ ref("measures") }}

),

summed as (

    select
        date_day,
        sum(row_stamp) as answers_stamp
    from answers
    group by date_day

),

wanted as (

    select
        summed.date_day,
        summed.answers_stamp + units.units_stamp + {{ code_stamp() }} as day_stamp
    from summed
    cross join units

),

counted as (

    {{ stamps_in_book(
        "int_survey_days_counted",
        [
            "int_survey_counted_daily",
            "int_survey_audiences_counted_daily",
            "int_cx_pairs_counted_daily",
        ],
        {"date_day": "date"},
        "day_stamp",
    ) }}

)

select
    coalesce(wanted.date_day, counted.date_day) as date_day,
    cast(wanted.day_stamp as decimal(38, 0)) as day_stamp
from wanted
full outer join counted
    on wanted.date_day = counted.date_day
where wanted.day_stamp is distinct from counted.day_stamp
