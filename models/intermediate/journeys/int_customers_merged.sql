-- One row per registered customer: the customer it is, which is itself or the first of those who
-- share its contact or its loyalty card, and the rule that says so. Contacts are compared by their
-- digest. A merge listed in identity_splits is undone from this night on.
{% set rounds = 4 %}

with customers as (

    select
        customer_id,
        {{ text_digest("lower(trim(contact))") }} as contact_hash,
        card_id
    from {{ ref("stg_sales__customers") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

splits as (

    select
        splits.customer_id,
        splits.merge_rule
    from {{ ref("identity_splits") }} as splits
    inner join night
        on {{ in_force("splits", "night.as_of") }}

),

identifiers as (

    select
        customer_id,
        'contact' as merge_rule,
        contact_hash as identifier
    from customers
    where contact_hash is not null
    union all
    select
        customer_id,
        'card' as merge_rule,
        card_id as identifier
    from customers
    where card_id is not null

),

-- Only what a few share merges: a placeholder would make one customer of thousands.
links as (

    select
        identifiers.customer_id,
        identifiers.merge_rule,
        identifiers.identifier
    from identifiers
    cross join {{ ref("int_journey_settings_listed") }} as settings
    left join splits
        on
            identifiers.customer_id = splits.customer_id
            and identifiers.merge_rule = splits.merge_rule
    where splits.customer_id is null
    qualify
        count(*) over (partition by identifiers.merge_rule, identifiers.identifier)
        between 2 and max(settings.merge_most_customers) over ()

),

labelled_0 as (

    select
        customer_id,
        merge_rule,
        identifier,
        min(customer_id) over (partition by merge_rule, identifier) as first_label,
        customer_id as label
    from links

),

-- The least label spreads along shared identifiers; groups are small, so a few rounds reach all.
{% for round in range(1, rounds + 1) %}
spread_{{ round }} as (

    select
        customer_id,
        merge_rule,
        identifier,
        first_label,
        min(label) over (partition by merge_rule, identifier) as label
    from labelled_{{ round - 1 }}

),

labelled_{{ round }} as (

    select
        customer_id,
        merge_rule,
        identifier,
        first_label,
        label as shared_label,
        min(label) over (partition by customer_id) as label
    from spread_{{ round }}

),

{% endfor %}
merged as (

    select
        customer_id,
        min(label) as resolved_customer_id,
        -- The rule that links to the first customer itself, else the one that leads there; both a
        -- contact and a card count as the contact.
        coalesce(
            max(merge_rule) filter (where first_label = label),
            max(merge_rule) filter (where shared_label = label)
        ) as merge_rule
    from labelled_{{ rounds }}
    group by customer_id

)

select
    customers.customer_id,
    coalesce(merged.resolved_customer_id, customers.customer_id) as resolved_customer_id,
    case
        when merged.resolved_customer_id != customers.customer_id then merged.merge_rule
    end as merge_rule,
    customers.contact_hash,
    customers.card_id
from customers
left join merged
    on customers.customer_id = merged.customer_id
