"""What beat ticks. A tick only looks for what is due; a row decides that it happens once. See docs/schedule.md."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "campaigns-tick": {"task": "campaigns.tasks.tick", "schedule": 60.0},
    "campaigns-sweep": {"task": "campaigns.tasks.sweep_runs", "schedule": 60.0},
    "coupons-hand-out": {"task": "campaigns.tasks.sweep_handouts", "schedule": 60.0},
    "messages-sweep": {"task": "messaging.tasks.sweep_messages", "schedule": 15.0},
    "messages-watch": {"task": "messaging.tasks.watch", "schedule": 30.0},
    "messages-tally": {"task": "messaging.tasks.tally", "schedule": 60.0},
    "receipts-tally": {"task": "messaging.tasks.tally_receipts", "schedule": 10800.0},
    "signals-sweep": {"task": "members.tasks.sweep_missed_signals", "schedule": 30.0},
    "phones-change": {"task": "members.tasks.change_phones", "schedule": 60.0},
    "holds-expire": {"task": "members.tasks.expire_holds", "schedule": 60.0},
    "transfers-end": {"task": "members.tasks.end_transfers", "schedule": 3600.0},
    "value-expire": {"task": "members.tasks.expire_value", "schedule": 60.0},
    "ledger-verify-changed": {"task": "members.tasks.verify_changed", "schedule": 300.0},
    "ledger-verify-all": {"task": "members.tasks.verify_all", "schedule": 86400.0},
    "value-warn": {"task": "members.tasks.warn_expiring", "schedule": 3600.0},
    "birthdays-award": {"task": "members.tasks.award_birthdays", "schedule": 3600.0},
    "tiers-fold": {"task": "members.tasks.fold_tiers", "schedule": 86400.0},
    "coupons-end": {"task": "members.tasks.end_coupons", "schedule": 600.0},
    "coupons-warn": {"task": "members.tasks.warn_of_coupons", "schedule": 3600.0},
    "fraud-watch": {"task": "crm.tasks.watch_fraud", "schedule": 86400.0},
    "sessions-clear": {"task": "crm.tasks.clear_sessions", "schedule": 86400.0},
    "answers-forget": {"task": "crm.api.tasks.forget_answers", "schedule": 86400.0},
}
