-- Where budgets stand in the period that `at` falls into, in thousandths of a minor unit.
SELECT b.id, p.period_on, coalesce(sum(u.reserved_milli), 0)::bigint, coalesce(sum(u.charged_milli), 0)::bigint,
       coalesce(sum(u.released_milli), 0)::bigint,
       coalesce(sum(u.reserved_milli - u.released_milli) FILTER (WHERE NOT u.is_protected), 0)::bigint
FROM messaging_budget b
CROSS JOIN LATERAL (SELECT sms_budget_period(b.period, b.timezone, %(at)s) AS period_on) p
LEFT JOIN messaging_budgetuse u ON u.budget_id = b.id AND u.period_on = p.period_on
WHERE b.id = ANY(%(ids)s::bigint[])
GROUP BY b.id, p.period_on
ORDER BY b.id
