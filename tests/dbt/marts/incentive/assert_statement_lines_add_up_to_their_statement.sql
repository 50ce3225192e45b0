-- The lines of a statement add up to its amount to the cent. A statement over nothing may have no
-- line; a line without its statement is an error.
{{ config(
    tags=["incentives"],
    meta={"dagster": {"ref": {"name": "statement_lines"}}},
) }}

with lines as (

    select
        statement_id,
        sum(amount) as amount
    from {{ ref("statement_lines") }}
    group by statement_id

)

select
    coalesce(statements.statement_id, lines.statement_id) as statement_id,
    statements.amount as statement_amount,
    lines.amount as lines_amount
from {{ ref("statements") }} as statements
full outer join lines
    on statements.statement_id = lines.statement_id
where
    statements.statement_id is null
    or statements.amount is null
    or statements.amount != coalesce(lines.amount, 0)
