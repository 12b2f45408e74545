"""What beat ticks. A tick only looks for what is due; a row decides that it happens once. See docs/schedule.md."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "campaigns-tick": {"task": "campaigns.tasks.tick", "schedule": 60.0},
    "campaigns-sweep": {"task": "campaigns.tasks.sweep_runs", "schedule": 60.0},
    "messages-sweep": {"task": "messaging.tasks.sweep_messages", "schedule": 15.0},
    "signals-sweep": {"task": "members.tasks.sweep_missed_signals", "schedule": 30.0},
    "value-expire": {"task": "members.tasks.expire_value", "schedule": 3600.0},
    "sessions-clear": {"task": "crm.tasks.clear_sessions", "schedule": 86400.0},
    "answers-forget": {"task": "crm.api.tasks.forget_answers", "schedule": 86400.0},
}
