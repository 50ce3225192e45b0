-- A question that feeds a measure says where its scale begins, ends, and counts as good or bad.
select
    seed,
    seed_line,
    concat(
        'question ', question_code, ': scale and boxes must be given and in order (',
        'scale_min ', scale_min, ', bottom_box_max ', bottom_box_max, ', top_box_min ', top_box_min,
        ', scale_max ', scale_max, ')'
    ) as problem
from survey_questions
where
    measure_code is not null
    and not coalesce(
        case
            when is_reversed
                then
                    scale_min <= top_box_min
                    and top_box_min < bottom_box_max
                    and bottom_box_max <= scale_max
            else
                scale_min <= bottom_box_max
                and bottom_box_max < top_box_min
                and top_box_min <= scale_max
        end,
        false
    )
