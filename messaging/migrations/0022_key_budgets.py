"""Budgets of API keys, and a budget's no among the gates (messaging/sql/budgets.sql, enqueue.sql)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0021_same_instant")]
    operations = [
        migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
        for name in ("budgets.sql", "enqueue.sql")
    ]
