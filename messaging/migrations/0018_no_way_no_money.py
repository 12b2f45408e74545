"""A text no route leads to puts no money aside, and its rule learns that it was not sent (messaging/sql/)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0017_nobody_behind")]
    operations = [
        migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
        for name in ("routes.sql", "enqueue_one.sql")
    ]
