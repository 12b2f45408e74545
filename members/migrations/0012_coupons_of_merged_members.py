"""What a merged member was given counts to the limit of the one who was kept (coupon_limits.sql)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0011_merges_on_one_approval")]
    operations = [migrations.RunSQL((SQL / "coupon_limits.sql").read_text(), migrations.RunSQL.noop)]
