"""What writes down who waits, and the claim that reads it (messaging/sql/); the outbox and the phone lock anew."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0014_waiting_apart")]
    operations = [
        migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
        for name in ("dispatch.sql", "enqueue.sql", "waiting.sql", "waiting_installed.sql")
    ]
