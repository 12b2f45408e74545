"""The ledger's promises as SQL: each query selects what breaks its rule, with the `account_id` it is broken for.

`%(all)s` is true when everything is judged, else only accounts in `%(ids)s` and deeds that touched them.
"""

from members.enums import MEMBER_ACCOUNTS, POSTING_MATRIX, WITHOUT_ENTRIES, OperationKind

_HELD = ", ".join(f"'{kind.value}'" for kind in MEMBER_ACCOUNTS)
_EMPTY = ", ".join(f"'{kind.value}'" for kind in WITHOUT_ENTRIES)
_DEEDS = "(%(all)s OR {0} IN (SELECT t.operation_id FROM members_entry t WHERE t.account_id = ANY(%(ids)s)))"
_ACCOUNTS = "(%(all)s OR {0} = ANY(%(ids)s))"
_MATRIX = ", ".join(f"('{deed.value}', '{account.value}', {sign})" for deed, account, sign in POSTING_MATRIX)
_ONE_OF = "(SELECT min(t.account_id) FROM members_entry t WHERE t.operation_id = {0})"

# Which event tells each deed; an expiry tells none.
TOLD_BY = {
    OperationKind.REFUND: "card_refunded",
    OperationKind.OPEN_CARD: "card_opened",
    OperationKind.RECHARGE: "card_recharged",
    OperationKind.SPEND: "card_spent",
    OperationKind.REDEEM: "points_redeemed",
    OperationKind.REFUND_RECHARGE: "recharge_refunded",
    OperationKind.SELL_SERVICES: "services_sold",
    OperationKind.SERVE: "service_taken",
    OperationKind.HOLD: "value_held",
    OperationKind.RELEASE: "hold_ended",
    OperationKind.FREEZE: "card_frozen",
    OperationKind.UNFREEZE: "card_unfrozen",
    OperationKind.CLOSE: "card_closed",
    OperationKind.ADJUST: "value_adjusted",
}
_TOLD_BY = ", ".join(f"('{kind.value}', '{event}')" for kind, event in TOLD_BY.items())

COUNTS = f"""
SELECT (SELECT count(*) FROM members_account a WHERE {_ACCOUNTS.format("a.id")}),
       (SELECT count(*) FROM members_operation o WHERE {_DEEDS.format("o.id")}),
       (SELECT count(*) FROM members_entry e WHERE {_ACCOUNTS.format("e.account_id")}),
       (SELECT count(*) FROM members_lot l WHERE {_ACCOUNTS.format("l.account_id")})
"""

_L1_SUM = f"""
SELECT min(e.account_id) AS account_id, e.operation_id, e.unit, sum(e.amount) AS sum, count(*) AS entries
FROM members_entry e WHERE {_DEEDS.format("e.operation_id")}
GROUP BY e.operation_id, e.unit HAVING sum(e.amount) <> 0 OR count(*) < 2
"""
_L1_EMPTY = f"""
SELECT (SELECT min(a.id) FROM members_account a WHERE a.member_id = o.member_id) AS account_id,
       o.id AS operation_id, o.kind
FROM members_operation o
WHERE %(all)s AND o.kind NOT IN ({_EMPTY})
  AND NOT EXISTS (SELECT 1 FROM members_entry e WHERE e.operation_id = o.id)
"""
_L2 = f"""
SELECT a.id AS account_id, a.kind, a.balance, a.last_seq, coalesce(s.total, 0) AS sum_of_entries,
       coalesce(s.entries, 0) AS entries, last.balance_after
FROM members_account a
LEFT JOIN (SELECT e.account_id, sum(e.amount) AS total, count(*) AS entries FROM members_entry e
           WHERE {_ACCOUNTS.format("e.account_id")} GROUP BY e.account_id) s ON s.account_id = a.id
LEFT JOIN members_entry last ON last.account_id = a.id AND last.seq = a.last_seq
WHERE a.kind IN ({_HELD}) AND {_ACCOUNTS.format("a.id")}
  AND (a.balance IS DISTINCT FROM coalesce(s.total, 0) OR a.last_seq <> coalesce(s.entries, 0)
       OR a.balance <> coalesce(last.balance_after, 0))
"""
_L3 = f"""
SELECT account_id, id AS entry_id, seq, expected_seq, before, amount, balance_after
FROM (SELECT e.account_id, e.id, e.seq, e.amount, e.balance_after,
             row_number() OVER line AS expected_seq, lag(e.balance_after, 1, 0::bigint) OVER line AS before
      FROM members_entry e
      WHERE e.account_kind IN ({_HELD}) AND {_ACCOUNTS.format("e.account_id")}
      WINDOW line AS (PARTITION BY e.account_id ORDER BY e.seq)) numbered
WHERE seq IS DISTINCT FROM expected_seq OR balance_after IS DISTINCT FROM before + amount
"""
_L4 = f"""
SELECT a.id AS account_id, a.balance, NULL::bigint AS entry_id FROM members_account a
WHERE a.balance < 0 AND {_ACCOUNTS.format("a.id")}
UNION ALL
SELECT e.account_id, e.balance_after, e.id FROM members_entry e
WHERE e.balance_after < 0 AND {_ACCOUNTS.format("e.account_id")}
"""
_L5_SUM = f"""
SELECT a.id AS account_id, a.balance, coalesce(s.remaining, 0) AS remaining_in_lots
FROM members_account a
LEFT JOIN (SELECT l.account_id, sum(l.remaining) AS remaining FROM members_lot l
           WHERE {_ACCOUNTS.format("l.account_id")} GROUP BY l.account_id) s ON s.account_id = a.id
WHERE a.balance IS NOT NULL AND {_ACCOUNTS.format("a.id")} AND a.balance <> coalesce(s.remaining, 0)
"""
_L5_LOT = f"""
SELECT l.account_id, l.id AS lot_id, l.original, l.remaining, coalesce(s.used, 0) AS used
FROM members_lot l
LEFT JOIN (SELECT u.lot_id, sum(u.amount) AS used FROM members_lotuse u GROUP BY u.lot_id) s ON s.lot_id = l.id
WHERE {_ACCOUNTS.format("l.account_id")}
  AND (l.original - l.remaining <> -coalesce(s.used, 0) OR l.remaining NOT BETWEEN 0 AND l.original)
"""
_L5_ENTRY = f"""
SELECT e.account_id, e.id AS entry_id, e.amount, coalesce(s.used, 0) AS used, coalesce(l.original, 0) AS new_lot
FROM members_entry e
LEFT JOIN (SELECT u.entry_id, sum(u.amount) AS used FROM members_lotuse u GROUP BY u.entry_id) s
  ON s.entry_id = e.id
LEFT JOIN (SELECT account_id, operation_id, sum(original) AS original FROM members_lot GROUP BY 1, 2) l
  ON s.entry_id IS NULL AND l.operation_id = e.operation_id AND l.account_id = e.account_id
WHERE e.account_kind IN ({_HELD}) AND {_ACCOUNTS.format("e.account_id")}
  AND e.amount <> coalesce(s.used, 0) + coalesce(l.original, 0)
"""
_L7 = f"""
SELECT (SELECT min(a.id) FROM members_account a WHERE a.member_id = min(o.member_id)) AS account_id,
       o.scope, o.key, count(*) AS operations, min(o.id) AS first_operation_id
FROM members_operation o WHERE {_DEEDS.format("o.id")}
GROUP BY o.scope, o.key HAVING count(*) > 1
"""
_L7_PAYMENT = f"""
SELECT (SELECT min(a.id) FROM members_account a WHERE a.member_id = min(o.member_id)) AS account_id,
       t.type, t.reference, count(*) AS payments, min(o.id) AS first_operation_id
FROM members_tender t JOIN members_operation o ON o.id = t.operation_id
WHERE t.reference <> '' AND t.amount_minor > 0 AND {_DEEDS.format("o.id")}
GROUP BY t.type, t.reference HAVING count(*) > 1
"""
_L10 = f"""
SELECT e.account_id, e.id AS entry_id, e.operation_id, e.operation_kind, e.account_kind, e.amount
FROM members_entry e JOIN members_operation o ON o.id = e.operation_id JOIN members_account a ON a.id = e.account_id
WHERE {_ACCOUNTS.format("e.account_id")}
  AND ((o.kind, a.kind, sign(e.amount)) IS DISTINCT FROM (e.operation_kind, e.account_kind, e.sign)
       OR (o.kind, a.kind, sign(e.amount)::int) NOT IN (VALUES {_MATRIX}))
"""
_L9_AMOUNT = f"""
SELECT {_ONE_OF.format("o.id")} AS account_id, o.id AS operation_id, o.kind, o.amount_minor,
       sum(r.amount_minor) AS reversed
FROM members_operation o JOIN members_operation r ON r.reverses_id = o.id
WHERE {_DEEDS.format("o.id")}
GROUP BY o.id HAVING sum(r.amount_minor) > o.amount_minor OR o.reverses_id IS NOT NULL
"""
_L9_ACCOUNT = f"""
SELECT took.account_id, took.operation_id, took.amount AS took, back.amount AS gave_back
FROM (SELECT e.account_id, r.reverses_id, sum(e.amount) AS amount
      FROM members_operation r JOIN members_entry e ON e.operation_id = r.id
      WHERE r.reverses_id IS NOT NULL AND r.kind = 'refund'
        AND e.account_kind IN ('principal', 'bonus', 'services') GROUP BY 1, 2) back
LEFT JOIN (SELECT e.account_id, e.operation_id, sum(e.amount) AS amount
      FROM members_operation o JOIN members_entry e ON e.operation_id = o.id
      WHERE o.id IN (SELECT reverses_id FROM members_operation WHERE reverses_id IS NOT NULL) GROUP BY 1, 2) took
  ON took.account_id = back.account_id AND took.operation_id = back.reverses_id
WHERE {_ACCOUNTS.format("back.account_id")} AND back.amount > -coalesce(took.amount, 0)
"""
_L9_LOT = f"""
SELECT l.account_id, back.lot_id, back.reverses_id AS operation_id, back.amount AS gave_back, took.amount AS took
FROM (SELECT lot_id, reverses_id, sum(amount) AS amount
      FROM (SELECT u.lot_id, r.reverses_id, u.amount
            FROM members_operation r JOIN members_entry e ON e.operation_id = r.id
            JOIN members_lotuse u ON u.entry_id = e.id AND u.amount > 0
            WHERE r.reverses_id IS NOT NULL
            UNION ALL
            SELECT v.left_id, r.reverses_id, l.original
            FROM members_restoredlot v JOIN members_lot l ON l.id = v.lot_id
            JOIN members_operation r ON r.id = l.operation_id) given
      GROUP BY 1, 2) back
JOIN members_lot l ON l.id = back.lot_id
LEFT JOIN LATERAL (SELECT sum(u.amount) AS amount FROM members_entry e JOIN members_lotuse u ON u.entry_id = e.id
                   WHERE e.operation_id = back.reverses_id AND u.lot_id = back.lot_id) took ON true
WHERE {_ACCOUNTS.format("l.account_id")} AND back.amount > -coalesce(took.amount, 0)
"""
_L13 = f"""
SELECT {_ONE_OF.format("o.id")} AS account_id, o.id AS operation_id, o.kind, told.event, count(e.id) AS events
FROM members_operation o
JOIN (VALUES {_TOLD_BY}) AS told (kind, event) ON told.kind = o.kind
LEFT JOIN members_operation undone ON undone.id = o.reverses_id
LEFT JOIN members_membershipevent e ON e.operation_id = o.id AND e.member_id = o.member_id
  AND e.type = CASE WHEN undone.kind = 'serve' THEN 'service_returned' ELSE told.event END
WHERE {_DEEDS.format("o.id")}
GROUP BY o.id, told.event HAVING count(e.id) <> 1
"""
_L16 = f"""
SELECT account_id, id AS entry_id, seq, encode(hash, 'hex') AS hash, encode(expected, 'hex') AS expected
FROM (SELECT e.account_id, e.id, e.seq, e.hash,
             ledger_chain(e.account_id, e.seq, e.amount, e.balance_after, e.operation_id)
               OVER (PARTITION BY e.account_id ORDER BY e.seq) AS expected
      FROM members_entry e WHERE e.account_kind IN ({_HELD}) AND {_ACCOUNTS.format("e.account_id")}) chained
WHERE hash IS DISTINCT FROM expected
UNION ALL
SELECT a.id, e.id, e.seq, encode(a.last_hash, 'hex'), encode(e.hash, 'hex')
FROM members_account a JOIN members_entry e ON e.account_id = a.id AND e.seq = a.last_seq
WHERE {_ACCOUNTS.format("a.id")} AND a.last_hash IS DISTINCT FROM e.hash
"""
_L15 = f"""
SELECT l.account_id, l.id AS lot_id, l.held, coalesce(h.held, 0) AS in_open_holds
FROM members_lot l
LEFT JOIN (SELECT u.lot_id, sum(u.amount) AS held FROM members_holduse u JOIN members_hold h ON h.id = u.hold_id
           WHERE h.status = 'open' GROUP BY u.lot_id) h ON h.lot_id = l.id
WHERE {_ACCOUNTS.format("l.account_id")} AND l.held <> coalesce(h.held, 0)
"""
_L14 = """
SELECT NULL::bigint AS account_id, d.id AS definition_id, d.quota, count(*) AS coupons
FROM members_coupondefinition d JOIN members_coupon c ON c.definition_id = d.id
WHERE d.quota IS NOT NULL AND (c.state <> 'void' OR c.round > 0)
GROUP BY d.id HAVING count(*) > d.quota
"""
_L17 = """
SELECT NULL::bigint AS account_id, e.unit, sum(e.amount) AS sum FROM members_entry e
GROUP BY e.unit HAVING sum(e.amount) <> 0
"""

RULES: tuple[tuple[str, str, str], ...] = (
    ("L1", "the entries of a deed sum to zero in each unit, and there are at least two", _L1_SUM),
    ("L1", "a deed that moves value has entries", _L1_EMPTY),
    ("L2", "the balance is the sum of the entries and what the last of them says", _L2),
    ("L3", "entries are numbered 1 to n and each continues the balance before it", _L3),
    ("L4", "no balance is ever below zero", _L4),
    ("L5", "what remains in the lots is the balance", _L5_SUM),
    ("L5", "a lot has lost exactly what its uses took", _L5_LOT),
    ("L5", "an entry is exactly its uses or its new lot", _L5_ENTRY),
    ("L7", "one idempotency key, one deed", _L7),
    ("L7", "one payment reference, one payment", _L7_PAYMENT),
    ("L10", "an entry is one that the posting matrix lists for its deed and account", _L10),
    ("L9", "reversals give back at most what the deed took, and are not themselves reversed", _L9_AMOUNT),
    ("L9", "reversals give back to an account at most what the deed took from it", _L9_ACCOUNT),
    ("L9", "reversals give back to a lot at most what the deed took from it", _L9_LOT),
    ("L15", "what a lot holds is what the open holds have set aside", _L15),
    ("L16", "each entry's hash follows from the one before it", _L16),
    ("L13", "a deed that is told has exactly one event", _L13),
)
WORLD_RULES: tuple[tuple[str, str, str], ...] = (
    ("L14", "no more coupons of a kind than its quota", _L14),
    ("L17", "all entries together sum to zero", _L17),
)
