"""Value that only changes its card has not left the member (lately.sql)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0007_deed_functions")]
    operations = [migrations.RunSQL((SQL / "lately.sql").read_text(), migrations.RunSQL.noop)]
