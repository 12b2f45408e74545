"""What the database itself keeps and refuses (members/sql/), and the posting matrix the ledger refers to."""

from pathlib import Path

from django.db import migrations

from members.enums import POSTING_MATRIX

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = (
    "guard.sql",
    "ledger.sql",
    "audit.sql",
    "control.sql",
    "days.sql",
    "coupon_limits.sql",
    "coupons.sql",
    "tiers.sql",
    "housebook.sql",
    "batch.sql",
)


def fill_matrix(apps, schema_editor):
    rule = apps.get_model("members", "PostingRule")
    rule.objects.bulk_create(
        [rule(operation_kind=o.value, account_kind=a.value, sign=s) for o, a, s in POSTING_MATRIX]
    )


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial"), ("constance", "0003_drop_pickle")]
    operations = [
        *(migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop) for name in FILES),
        migrations.RunPython(fill_matrix, migrations.RunPython.noop),
    ]
