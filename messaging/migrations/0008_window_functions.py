"""The permitted hours by country and zones, what is reported to carriers, and the policy that asks (messaging/sql/)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0007_rules_and_review")]
    operations = [
        migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
        for name in ("windows.sql", "reported.sql", "enqueue.sql")
    ]
