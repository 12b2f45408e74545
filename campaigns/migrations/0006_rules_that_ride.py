"""A firing without a savepoint of its own, and rules that ride in the statement of a deed (campaigns/sql/)."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_fewer_firing_indexes"), ("messaging", "0012_enqueue_one")]
    operations = [migrations.RunSQL((FOLDER / "fire.sql").read_text(), migrations.RunSQL.noop)]
