"""Of two facts at once the second one's rule sees the first one's text (campaigns/sql/fire.sql)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0007_every_reason")]
    operations = [migrations.RunSQL((FOLDER / "fire.sql").read_text(), migrations.RunSQL.noop)]
