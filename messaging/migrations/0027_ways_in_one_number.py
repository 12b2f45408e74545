"""The order of routes in one number, worked out without a sort (messaging/sql/routes.sql)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0026_same_text_once")]

    operations = [migrations.RunSQL((FOLDER / "routes.sql").read_text(), migrations.RunSQL.noop)]
