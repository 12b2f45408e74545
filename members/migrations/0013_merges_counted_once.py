"""A merge of several cards is one deed of a limit by count, and none when it was approved (guard.sql)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0012_coupons_of_merged_members")]
    operations = [migrations.RunSQL((SQL / "guard.sql").read_text(), migrations.RunSQL.noop)]
