-- One row per order line that several people sold and each of them, with its share of the amount:
-- the largest share takes the last digit, so that the parts add up to the line. Splits that do not
-- add up to 1, or of a line that nobody knows, are named and not applied.
with splits as (

    select * from {{ ref("stg_sales__credit_splits") }}

),

order_lines as (

    select * from {{ ref("int_order_lines_credited") }}

),

compared as (

    select
        splits.order_id,
        splits.line_no,
        splits.employee_id,
        splits.share,
        order_lines.line_amount,
        case
            when order_lines.order_id is null then 'unknown_order_line'
            when
                sum(splits.share) over (partition by splits.order_id, splits.line_no) != 1
                then 'shares_do_not_add_up_to_1'
        end as split_problem,
        cast(order_lines.line_amount * splits.share as decimal(18, 4)) as proportional_amount,
        row_number() over (
            partition by splits.order_id, splits.line_no
            order by splits.share desc, splits.employee_id asc
        ) as share_rank,
        splits.file_id,
        splits.file_line_no
    from splits
    left join order_lines
        on
            splits.order_id = order_lines.order_id
            and splits.line_no = order_lines.line_no

)

select
    order_id,
    line_no,
    employee_id,
    share,
    split_problem,
    case
        when share_rank = 1
            then cast(
                line_amount - (
                    sum(proportional_amount) over (partition by order_id, line_no)
                    - proportional_amount
                ) as decimal(18, 4)
            )
        else proportional_amount
    end as credited_amount,
    file_id,
    file_line_no
from compared
