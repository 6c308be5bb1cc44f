-- Who was a new customer of one of the last days, as each night saw it. Whose first deal it was
-- depends on all deals of the company, of any age.
with

    nights as (
        select account_id, as_of_date, max(restatement_days) as restatement_days
        from {{ ref("int_past__nights") }}
        where kpi_id in ('C06', 'F08')
        group by account_id, as_of_date
    ),

    links as ({{ versions("hubspot__deal_companies", ["deal_id"], ["associated"]) }}),

    deal_companies as (
        select
            account_id,
            deal_id,
            known_from,
            known_until,
            unnest(from_json(associated, '["JSON"]')) ->> '$.toObjectId' as company_id
        from links
        where was_there and not is_deleted
    ),

    company_versions as ({{ versions("hubspot__companies", ["company_id"], ["is_archived"]) }}),

    live_companies as (
        select *
        from company_versions
        where was_there and not is_deleted and not coalesce(is_archived, false)
    ),

    won as (select * from {{ ref("int_past__deals") }} where is_won),

    -- Deals that were closed lately by any night's account, and all other deals of their companies.
    late_deals as (
        select distinct account_id, deal_id
        from won
        where close_date >= {{ first_learned_night() }} - 100
    ),

    their_companies as (
        select distinct account_id, company_id
        from deal_companies
        semi join late_deals using (account_id, deal_id)
    ),

    concerned as (
        select account_id, deal_id
        from late_deals
        union
        select account_id, deal_id
        from deal_companies
        semi join their_companies using (account_id, company_id)
    ),

    won_deals as (
        select
            nights.as_of_date,
            won.account_id,
            won.deal_id,
            won.close_date,
            won.close_date >= nights.as_of_date - nights.restatement_days as is_late
        from won
        semi join concerned using (account_id, deal_id)
        inner join
            nights
            on won.account_id = nights.account_id
            and {{ seen_on("nights.as_of_date", "won") }}
            and won.created_date <= nights.as_of_date
            and won.close_date <= nights.as_of_date
    ),

    first_companies as (
        select won_deals.as_of_date, won_deals.account_id, won_deals.deal_id, links.company_id
        from won_deals
        inner join
            deal_companies as links
            on won_deals.account_id = links.account_id
            and won_deals.deal_id = links.deal_id
            and {{ seen_on("won_deals.as_of_date", "links") }}
        inner join
            live_companies
            on links.account_id = live_companies.account_id
            and links.company_id = live_companies.company_id
            and {{ seen_on("won_deals.as_of_date", "live_companies") }}
        qualify
            row_number() over (
                partition by won_deals.as_of_date, won_deals.account_id, won_deals.deal_id
                order by try_cast(links.company_id as hugeint) nulls last, links.company_id
            )
            = 1
    ),

    new_customers as (
        select won_deals.*
        from won_deals
        left join first_companies using (as_of_date, account_id, deal_id)
        qualify
            row_number() over (
                partition by
                    won_deals.as_of_date,
                    won_deals.account_id,
                    coalesce('company:' || first_companies.company_id, 'deal:' || won_deals.deal_id)
                order by
                    won_deals.close_date,
                    try_cast(won_deals.deal_id as hugeint) nulls last,
                    won_deals.deal_id
            )
            = 1
    )

select as_of_date, account_id, deal_id, close_date
from new_customers
where is_late
