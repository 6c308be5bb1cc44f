with

    components as (
        select *
        from {{ ref("int_scorecard__c01_net_promoter_score") }}
        union all by name
        select *
        from {{ ref("int_scorecard__c02_customer_satisfaction") }}
        union all by name
        select *
        from {{ ref("int_scorecard__c05_survey_completion") }}
        union all by name
        select *
        from {{ ref("int_scorecard__c06_new_customers") }}
        union all by name
        select *
        from {{ ref("int_scorecard__f01_ad_spend") }}
        union all by name
        select *
        from {{ ref("int_scorecard__f04_return_on_ad_spend") }}
        union all by name
        select *
        from {{ ref("int_scorecard__f05_marketing_efficiency") }}
        union all by name
        select *
        from {{ ref("int_scorecard__f07_cost_per_lead") }}
        union all by name
        select *
        from {{ ref("int_scorecard__f08_acquisition_cost") }}
        union all by name
        select *
        from {{ ref("int_scorecard__l05_team_enps") }}
        union all by name
        select *
        from {{ ref("int_scorecard__l07_data_quality") }}
        union all by name
        select *
        from {{ ref("int_scorecard__p01_click_through_rate") }}
        union all by name
        select *
        from {{ ref("int_scorecard__p04_conversion_rate") }}
        union all by name
        select *
        from {{ ref("int_scorecard__p05_mql_to_sql") }}
    )

select *
from components
