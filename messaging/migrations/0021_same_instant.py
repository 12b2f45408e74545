"""Of equal texts written in one instant one leaves (messaging/sql/claim_gate.sql asks again)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0020_whole_texts")]
    operations = [
        migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
        for name in ("same_text.sql", "waiting.sql")
    ]
