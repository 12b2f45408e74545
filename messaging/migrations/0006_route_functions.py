"""Which way a text goes, in the database itself (messaging/sql/routes.sql)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0005_gateways_and_routes")]
    operations = [migrations.RunSQL((FOLDER / "routes.sql").read_text(), migrations.RunSQL.noop)]
