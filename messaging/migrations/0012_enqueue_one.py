"""The outbox for one text of a deed (messaging/sql/enqueue_one.sql)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0011_conversations_and_locks"), ("members", "0001_initial")]
    operations = [migrations.RunSQL((FOLDER / "enqueue_one.sql").read_text(), migrations.RunSQL.noop)]
