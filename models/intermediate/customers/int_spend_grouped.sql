-- One row per day with a fit, model segment (* is everybody), number of repeat purchases with spend
-- and their total, with the number of customers who have them.
with histories as (

    select * from {{ ref("int_customer_histories_counted") }}
    where spend_count > 0

),

models as (

    select distinct
        fitted_on,
        model_segment
    from {{ ref("int_histories_grouped") }}

)

select
    models.fitted_on,
    models.model_segment,
    histories.spend_count,
    histories.spend_amount,
    count(*) as customers
from histories
inner join models
    on
        histories.looked_from = models.fitted_on
        and (models.model_segment = '*' or histories.segment = models.model_segment)
group by
    models.fitted_on,
    models.model_segment,
    histories.spend_count,
    histories.spend_amount
