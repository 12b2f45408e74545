"""Value that only changes its card has not left the member (lately.sql); a made-up approval is none (guard.sql)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = ("lately.sql", "guard.sql")


class Migration(migrations.Migration):
    dependencies = [("members", "0009_transfers_to_a_number")]
    operations = [migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop) for name in FILES]
