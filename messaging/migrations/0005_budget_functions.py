"""Budgets, prices and pauses in the database itself, and the outbox that asks them (messaging/sql/)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"
PRICES = "SELECT sms_price_changed(id, price_minor) FROM messaging_gateway"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0004_operations_and_budgets")]
    operations = [
        *(
            migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
            for name in ("budgets.sql", "pauses.sql", "enqueue.sql")
        ),
        migrations.RunSQL(PRICES, migrations.RunSQL.noop),
    ]
