-- The lives of made-up members, set by set. `%(first)s` is the first member's id, `%(seed)s` the seed number.
-- Each set is derived from a hash of (seed, member, place), so the same numbers give the same lives.

CREATE OR REPLACE FUNCTION pg_temp.draw(seed bigint, member bigint, place bigint) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (hashint8extended(member * 1000 + place, seed) & 1073741823) / 1073741824.0 $$;

-- One row a member: the gap between visits, how many there were before they stopped, whether they hold a card.
CREATE TEMPORARY TABLE t_life ON COMMIT DROP AS
SELECT m.id AS member_id, m.home_store_id AS store_id, gap,
       greatest(1, floor(%(days)s * active / gap))::int AS visits, has_card
FROM members_member m
CROSS JOIN LATERAL (SELECT 14 + 62 * pg_temp.draw(%(seed)s, m.id - %(first)s, 1) AS gap,
                           0.25 + 0.75 * sqrt(pg_temp.draw(%(seed)s, m.id - %(first)s, 2)) AS active,
                           pg_temp.draw(%(seed)s, m.id - %(first)s, 3) < 0.4 AS has_card) drawn
WHERE m.id >= %(first)s;

CREATE TEMPORARY TABLE t_visit ON COMMIT DROP AS
SELECT l.member_id, l.store_id, l.has_card, k,
       date_trunc('second', %(at)s::timestamptz) - make_interval(days => %(days)s)
         + make_interval(secs => (l.gap * (k - 1 + 0.6 * pg_temp.draw(%(seed)s, l.member_id - %(first)s, 10 + k))) * 86400)
         AS at,
       (50 + floor(350 * pg_temp.draw(%(seed)s, l.member_id - %(first)s, 400 + k)))::bigint * 100 AS bill
FROM t_life l CROSS JOIN LATERAL generate_series(1, l.visits) k;

CREATE TEMPORARY TABLE t_card ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY member_id) - 1 AS rank, member_id, min(store_id) AS store_id,
       count(*)::int AS visits, sum(bill)::bigint AS spent, (ceil(sum(bill) / 50000.0) * 50000)::bigint AS paid,
       (ceil(sum(bill) / 50000.0) * 5000)::bigint AS bonus, sum(bill / 100)::bigint AS points,
       min(at) AS opened_at
FROM t_visit WHERE has_card GROUP BY member_id;

CREATE TEMPORARY TABLE t_base ON COMMIT DROP AS
SELECT (SELECT coalesce(max(id), 0) FROM members_card) AS card, (SELECT coalesce(max(id), 0) FROM members_account) AS account,
       (SELECT coalesce(max(id), 0) FROM members_operation) AS operation, (SELECT coalesce(max(id), 0) FROM members_entry) AS entry,
       (SELECT coalesce(max(id), 0) FROM members_lot) AS lot, (SELECT count(*) FROM t_card) AS cards;

INSERT INTO members_card (id, public_id, number, product_id, member_id, store_id, status, opened_at)
SELECT b.card + 1 + c.rank, md5(%(seed)s || 'card' || c.rank)::uuid, '9' || lpad((%(seed)s * 10000000 + c.rank)::text, 15, '0'),
       %(product)s, c.member_id, c.store_id, 'active', c.opened_at - interval '3 minutes'
FROM t_card c, t_base b;

-- Three accounts a card, next to each other: principal, bonus, points.
INSERT INTO members_account (id, kind, member_id, card_id, store_id, balance, last_seq)
SELECT b.account + 1 + 3 * c.rank + a.place, a.kind, c.member_id,
       CASE WHEN a.kind = 'points' THEN NULL ELSE b.card + 1 + c.rank END, NULL,
       CASE a.kind WHEN 'principal' THEN c.paid - c.spent WHEN 'bonus' THEN c.bonus ELSE c.points END,
       CASE a.kind WHEN 'principal' THEN c.visits + 1 WHEN 'bonus' THEN 1 ELSE c.visits END
FROM t_card c, t_base b, (VALUES (0, 'principal'), (1, 'bonus'), (2, 'points')) AS a (place, kind);

INSERT INTO members_account (id, kind, store_id, last_seq)
SELECT b.account + 3 * b.cards + row_number() OVER (ORDER BY s.id, k.kind), k.kind, s.id, 0
FROM unnest(%(stores)s::bigint[]) AS s (id), t_base b,
     (VALUES ('tender'), ('sales'), ('bonus_cost'), ('points_cost')) AS k (kind);

-- Deeds in the order of time; `moved` counts those that move value: each has four entries.
CREATE TEMPORARY TABLE t_deed ON COMMIT DROP AS
SELECT row_number() OVER line AS place, count(*) FILTER (WHERE d.kind <> 'open_card') OVER line AS moved, d.*
FROM (
  SELECT rank, member_id, store_id, 'open_card' AS kind, 0 AS k, opened_at - interval '3 minutes' AS at,
         0::bigint AS amount, 0::bigint AS spent, 0::bigint AS points FROM t_card
  UNION ALL
  SELECT rank, member_id, store_id, 'recharge', 0, opened_at - interval '2 minutes', paid, 0, 0 FROM t_card
  UNION ALL
  SELECT c.rank, v.member_id, v.store_id, 'spend', v.k, v.at, v.bill,
         (sum(v.bill) OVER upto)::bigint, (sum(v.bill / 100) OVER upto)::bigint
  FROM t_visit v JOIN t_card c USING (member_id)
  WINDOW upto AS (PARTITION BY v.member_id ORDER BY v.k)
) d
WINDOW line AS (ORDER BY d.at, d.rank, d.kind <> 'open_card', d.k ROWS UNBOUNDED PRECEDING);

INSERT INTO members_operation
  (id, public_id, kind, scope, key, request, store_id, member_id, card_id, amount_minor, note, at, created_at)
SELECT b.operation + d.place, md5(%(seed)s || 'deed' || d.place)::uuid, d.kind, 'sample:' || %(seed)s, d.place::text, '{}',
       d.store_id, d.member_id, CASE WHEN d.kind = 'open_card' THEN NULL ELSE b.card + 1 + d.rank END, d.amount, '', d.at, d.at
FROM t_deed d, t_base b;

CREATE TEMPORARY TABLE t_house ON COMMIT DROP AS
SELECT s.id AS store_id, t.id AS tender, a.id AS sales, bc.id AS bonus_cost, pc.id AS points_cost
FROM unnest(%(stores)s::bigint[]) AS s (id)
JOIN members_account t ON t.store_id = s.id AND t.kind = 'tender'
JOIN members_account a ON a.store_id = s.id AND a.kind = 'sales'
JOIN members_account bc ON bc.store_id = s.id AND bc.kind = 'bonus_cost'
JOIN members_account pc ON pc.store_id = s.id AND pc.kind = 'points_cost';

INSERT INTO members_entry
  (id, operation_id, account_id, operation_kind, account_kind, sign, unit, amount, seq, balance_after, hash, created_at)
SELECT b.entry + 4 * (d.moved - 1) + leg.place, b.operation + d.place, leg.account, d.kind, leg.kind, sign(leg.amount), leg.unit,
       leg.amount, leg.seq, leg.after,
       CASE WHEN leg.seq IS NOT NULL
            THEN ledger_chain(leg.account, leg.seq::int, leg.amount, leg.after, b.operation + d.place) OVER line END,
       d.at
FROM t_deed d
JOIN t_card c USING (rank)
JOIN t_house h ON h.store_id = d.store_id
CROSS JOIN t_base b
CROSS JOIN LATERAL (VALUES
  (1, b.account + 1 + 3 * d.rank, 'principal', 'money', d.amount, 1, d.amount, 'recharge'),
  (2, h.tender, 'tender', 'money', -d.amount, NULL, NULL, 'recharge'),
  (3, b.account + 2 + 3 * d.rank, 'bonus', 'money', c.bonus, 1, c.bonus, 'recharge'),
  (4, h.bonus_cost, 'bonus_cost', 'money', -c.bonus, NULL, NULL, 'recharge'),
  (1, b.account + 1 + 3 * d.rank, 'principal', 'money', -d.amount, d.k + 1, c.paid - d.spent, 'spend'),
  (2, h.sales, 'sales', 'money', d.amount, NULL, NULL, 'spend'),
  (3, b.account + 3 + 3 * d.rank, 'points', 'points', d.amount / 100, d.k, d.points, 'spend'),
  (4, h.points_cost, 'points_cost', 'points', -(d.amount / 100), NULL, NULL, 'spend')
) AS leg (place, account, kind, unit, amount, seq, after, deed)
WHERE leg.deed = d.kind
WINDOW line AS (PARTITION BY leg.account ORDER BY leg.seq);
UPDATE members_account a SET last_hash = e.hash
FROM members_entry e, t_base b WHERE e.account_id = a.id AND e.seq = a.last_seq AND a.id > b.account;

-- Two lots a recharge at fixed places, then one lot of points a spend.
INSERT INTO members_lot (id, account_id, operation_id, source_id, original, remaining, paid_minor, expires_at)
SELECT b.lot + 1 + 2 * d.rank + a.place, b.account + 1 + 3 * d.rank + a.place, b.operation + d.place,
       b.operation + d.place, CASE a.place WHEN 0 THEN c.paid ELSE c.bonus END,
       CASE a.place WHEN 0 THEN c.paid - c.spent ELSE c.bonus END,
       CASE a.place WHEN 0 THEN c.paid ELSE 0 END, NULL
FROM t_deed d JOIN t_card c USING (rank), t_base b, (VALUES (0), (1)) AS a (place)
WHERE d.kind = 'recharge';

INSERT INTO members_lot (id, account_id, operation_id, source_id, original, remaining, paid_minor, expires_at)
SELECT b.lot + 2 * b.cards + row_number() OVER (ORDER BY d.place), b.account + 3 + 3 * d.rank, b.operation + d.place,
       b.operation + d.place, d.amount / 100, d.amount / 100, 0, d.at + interval '730 days'
FROM t_deed d, t_base b WHERE d.kind = 'spend';

INSERT INTO members_lotuse (entry_id, lot_id, amount)
SELECT b.entry + 4 * (d.moved - 1) + 1, b.lot + 1 + 2 * d.rank, -d.amount
FROM t_deed d, t_base b WHERE d.kind = 'spend' ORDER BY d.place;

INSERT INTO members_tender (operation_id, type, amount_minor, reference)
SELECT b.operation + d.place, 'wechat', d.amount, '' FROM t_deed d, t_base b WHERE d.kind = 'recharge' ORDER BY d.place;

INSERT INTO members_membershipevent (public_id, type, member_id, store_id, operation_id, payload, source, key, at, created_at)
SELECT md5(%(seed)s || 'event' || d.place)::uuid,
       CASE d.kind WHEN 'open_card' THEN 'card_opened' WHEN 'recharge' THEN 'card_recharged' ELSE 'card_spent' END,
       d.member_id, d.store_id, b.operation + d.place,
       jsonb_build_object('amount', d.amount, 'balance', CASE d.kind WHEN 'open_card' THEN 0 ELSE c.paid + c.bonus - d.spent END,
                          'points_balance', d.points),
       'sample:' || %(seed)s, d.place::text, d.at, d.at
FROM t_deed d JOIN t_card c USING (rank), t_base b ORDER BY d.place;

INSERT INTO members_purchase (member_id, store_id, operation_id, at, amount_minor, items, external_ref)
SELECT v.member_id, v.store_id, b.operation + d.place, v.at, v.bill, 1, ''
FROM t_visit v
LEFT JOIN t_deed d ON d.member_id = v.member_id AND d.k = v.k AND d.kind = 'spend', t_base b;

INSERT INTO members_memberfacts (member_id, visits, first_visit_at, last_visit_at, spend_minor)
SELECT member_id, count(*), min(at), max(at), sum(bill) FROM t_visit GROUP BY member_id;

INSERT INTO members_consententry (member_id, purpose, is_given, wording_version, source, store_id, at)
SELECT m.id, p.purpose, CASE p.purpose WHEN 'service' THEN m.has_service_consent ELSE m.has_marketing_consent END,
       'sample', 'import', m.home_store_id, m.enrolled_at
FROM members_member m, (VALUES ('service'), ('marketing')) AS p (purpose) WHERE m.id >= %(first)s;

DROP TABLE t_life, t_visit, t_card, t_base, t_deed, t_house;
