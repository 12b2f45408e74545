"""What limits count over a window (lately.sql), those of points and services (guard.sql), and the tiers of merged
members (tiers.sql)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = ("lately.sql", "guard.sql", "tiers.sql")


class Migration(migrations.Migration):
    dependencies = [("members", "0003_value_control")]
    operations = [migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop) for name in FILES]
