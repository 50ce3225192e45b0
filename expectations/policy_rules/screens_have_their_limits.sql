-- A rule has the limits it needs: without one it would silently find nothing.
select
    seed,
    seed_line,
    concat('rule ', rule_code, ' needs ', needed.limit_name) as problem
from survey_thresholds
inner join (
    values
        ('repeated_device', 'limit_count'), ('repeated_device', 'window_minutes'),
        ('repeated_order', 'limit_count'), ('repeated_token', 'limit_count'),
        ('before_visit', 'window_minutes'), ('too_fast', 'limit_count'),
        ('straight_lined', 'limit_count'), ('straight_lined', 'limit_ratio'),
        ('burst', 'limit_count'), ('burst', 'window_minutes'),
        ('few_invitations', 'limit_count'), ('few_invitations', 'limit_ratio'),
        ('contact_edited', 'limit_count'), ('contact_edited', 'limit_ratio'),
        ('contact_edited', 'window_minutes'), ('rating_reassigned', 'limit_count'),
        ('shift_end', 'limit_count'), ('shift_end', 'limit_ratio'),
        ('shift_end', 'window_minutes'), ('shift_end_hours', 'window_minutes'),
        ('screened_answers', 'limit_count'), ('asked_too_often', 'limit_count'),
        ('asked_too_often', 'window_minutes'), ('weight_trim', 'limit_ratio')
) as needed (rule_code, limit_name) using (rule_code)
where
    case needed.limit_name
        when 'limit_count' then limit_count
        when 'limit_ratio' then limit_ratio
        else window_minutes
    end is null
