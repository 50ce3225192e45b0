-- A measure of weight 0 is judged by nobody.
select
    seed,
    seed_line,
    concat('weight of ', measure_code, ' is 0: leave the row out') as problem
from scorecard_templates
where weight = 0
