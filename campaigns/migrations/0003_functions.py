"""What campaigns keep in the database itself: the stamp of the rules in force, the firing (campaigns/sql/)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0001_initial"),
        ("members", "0001_initial"),
        ("messaging", "0002_functions"),
    ]
    operations = [
        migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
        for name in ("rulebook.sql", "fire.sql")
    ]
