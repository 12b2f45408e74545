"""What messaging keeps in the database itself: the permitted hours, the outbox, the phone lock (messaging/sql/)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]
    operations = [
        migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
        for name in ("policy.sql", "enqueue.sql", "dispatch.sql")
    ]
