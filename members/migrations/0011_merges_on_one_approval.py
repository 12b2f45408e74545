"""A merge is done on one approval, and an undone one is under no limit; nobody approves value to themselves (guard.sql)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0010_value_guards_again")]
    operations = [migrations.RunSQL((SQL / "guard.sql").read_text(), migrations.RunSQL.noop)]
