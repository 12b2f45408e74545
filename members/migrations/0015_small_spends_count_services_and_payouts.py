"""While a phone changes, services taken and money paid out count as well (lately.sql)."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0014_bills_of_other_stores")]
    operations = [migrations.RunSQL((SQL / "lately.sql").read_text(), migrations.RunSQL.noop)]
