-- On every level the contributions of a period add up to the company's score.
with

    company as (
        select period_type, period_start, score
        from {{ ref("fct_scorecard") }}
        where node_type = 'company'
    ),

    levels as (
        select period_type, period_start, node_type, sum(contribution) as contributions
        from {{ ref("fct_scorecard") }}
        group by period_type, period_start, node_type
    )

select
    levels.period_type, levels.period_start, levels.node_type, levels.contributions, company.score
from levels
inner join company using (period_type, period_start)
where
    (levels.contributions is null) != (company.score is null)
    or abs(levels.contributions - company.score) > 0.000000001
