{#-
    An amount rounded half-up to the cent, once, at the end.

    Quotients are carried at 12 decimals, so that an amount that is exactly half a cent may stand a
    hair below it; the first rounding, at 8 decimals, puts it back on the half before the second one
    decides.
-#}
{% macro to_cents(amount) -%}
    cast(cast({{ amount }} as decimal(28, 8)) as decimal(18, 2))
{%- endmacro %}
