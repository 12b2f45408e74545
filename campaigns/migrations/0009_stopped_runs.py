"""What comes back from a gateway to a stopped run is cancelled at once (campaigns/sql/stopped_runs.sql)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0008_dedupe_in_turn"), ("messaging", "0018_no_way_no_money")]
    operations = [migrations.RunSQL((FOLDER / "stopped_runs.sql").read_text(), migrations.RunSQL.noop)]
