"""A text that its carrier knows under one id costs all its parts (messaging/sql/budgets.sql)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0019_gates")]
    operations = [migrations.RunSQL((FOLDER / "budgets.sql").read_text(), migrations.RunSQL.noop)]
