{#-
    Decimal quotient, rounded half-up (away from zero) at the 12th decimal.

    DuckDB divides decimals as doubles, and pay must not pass through a double: the quotient is
    taken in integers instead. `operand_scale` is the number of decimals both operands may carry. A
    divisor of zero or null gives null.
-#}
{% macro exact_divide(numerator, denominator, operand_scale=4) -%}
    {{ return(adapter.dispatch("exact_divide")(numerator, denominator, operand_scale)) }}
{%- endmacro %}

{% macro duckdb__exact_divide(numerator, denominator, operand_scale) -%}
    {%- set one = 10 ** operand_scale -%}
    {%- set n -%}
        cast(cast({{ numerator }} as decimal(38, {{ operand_scale }})) * {{ one }} as hugeint)
    {%- endset -%}
    {%- set d -%}
        cast(cast({{ denominator }} as decimal(38, {{ operand_scale }})) * {{ one }} as hugeint)
    {%- endset -%}
    cast(
        cast(
            sign({{ n }}) * sign({{ d }})
            * ((abs({{ n }}) * 2000000000000 + abs({{ d }})) // nullif(2 * abs({{ d }}), 0))
            as decimal(26, 0)
        ) * 0.000000000001 as decimal(38, 12)
    )
{%- endmacro %}

{% macro spark__exact_divide(numerator, denominator, operand_scale) -%}
    cast(
        cast({{ numerator }} as decimal(24, {{ operand_scale }}))
        / nullif(cast({{ denominator }} as decimal(24, {{ operand_scale }})), 0)
        as decimal(38, 12)
    )
{%- endmacro %}

{#-
    `exact_divide` of numbers that are hardly ever beyond 460, such as scores: in machine integers,
    which is ten times as fast: 460 with four decimals, times two in 10 to the 12, is the most that
    64 bits hold. Any other number is divided all the same.
-#}
{% macro exact_divide_scores(numerator, denominator) -%}
    {{ return(adapter.dispatch("exact_divide_scores")(numerator, denominator)) }}
{%- endmacro %}

{% macro duckdb__exact_divide_scores(numerator, denominator) -%}
    {%- set n -%} cast(cast({{ numerator }} as decimal(12, 4)) * 10000 as bigint) {%- endset -%}
    {%- set d -%} cast(cast({{ denominator }} as decimal(12, 4)) * 10000 as bigint) {%- endset -%}
    case
        when abs({{ numerator }}) <= 460 and abs({{ denominator }}) between 0.01 and 460
            then
                cast(
                    cast(
                        sign({{ n }}) * sign({{ d }})
                        * ((abs({{ n }}) * 2000000000000 + abs({{ d }})) // (2 * abs({{ d }})))
                        as decimal(18, 0)
                    ) * 0.000000000001 as decimal(38, 12)
                )
        else {{ exact_divide(numerator, denominator) }}
    end
{%- endmacro %}

{% macro spark__exact_divide_scores(numerator, denominator) -%}
    {{ exact_divide(numerator, denominator) }}
{%- endmacro %}

{#-
    The same quotient of two counts. Up to four million of them its numerator fits into the integers
    of the machine, which divide many times faster.
-#}
{% macro exact_divide_counts(count, whole) -%}
    {{ return(adapter.dispatch("exact_divide_counts")(count, whole)) }}
{%- endmacro %}

{% macro duckdb__exact_divide_counts(count, whole) -%}
    case
        when {{ whole }} between 1 and 4000000 and abs({{ count }}) <= {{ whole }}
            then
                cast(
                    cast(
                        sign({{ count }})
                        * ((abs({{ count }}) * 2000000000000 + {{ whole }}) // (2 * {{ whole }}))
                        as decimal(18, 0)
                    ) * 0.000000000001 as decimal(38, 12)
                )
        else {{ exact_divide(count, whole, 0) }}
    end
{%- endmacro %}

{% macro spark__exact_divide_counts(count, whole) -%}
    {{ exact_divide(count, whole, 0) }}
{%- endmacro %}
