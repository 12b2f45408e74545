"""How long the same text is not sent again is read once for many texts (messaging/sql/enqueue.sql)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0025_regions")]

    operations = [migrations.RunSQL((FOLDER / "enqueue.sql").read_text(), migrations.RunSQL.noop)]
