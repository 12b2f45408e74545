"""Codes asked for with an API key count under its budgets (messaging/sql/budgets.sql)."""

from pathlib import Path

from django.db import migrations, models

FUNCTIONS = Path(__file__).resolve().parent.parent / "sql" / "budgets.sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0023_unread_first")]
    operations = [
        migrations.AddField(
            model_name="verificationcode",
            name="source",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.RunSQL(FUNCTIONS.read_text(), migrations.RunSQL.noop),
        migrations.RunSQL("DROP FUNCTION IF EXISTS sms_source_of(bigint)", migrations.RunSQL.noop),
    ]
