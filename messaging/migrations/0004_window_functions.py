"""The permitted hours by the recipient's country and zones (messaging/sql/windows.sql), and the policy that asks them."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0003_rules_and_review")]
    operations = [
        migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
        for name in ("windows.sql", "enqueue.sql")
    ]
