"""The guards judged once a statement, the deed as one statement and as one call (members/sql/)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = ("lot_uses.sql", "posting.sql", "write.sql", "express.sql")


class Migration(migrations.Migration):
    dependencies = [("members", "0006_narrower_ledger_keys")]
    operations = [migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop) for name in FILES]
