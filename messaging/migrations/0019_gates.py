"""Which marketing texts may use the slots kept, and the gates anew (messaging/sql/)."""

from pathlib import Path

from django.db import migrations, models

FOLDER = Path(__file__).resolve().parent.parent / "sql"
# The outbox without the two parameters it has now: a process of the earlier version still finds the new one.
EARLIER = """
DROP FUNCTION IF EXISTS sms_enqueue(
  text[], bytea[], bigint[], bigint[], text[], smallint[], text[], text[], text[], smallint[], bigint[], text[], bigint[],
  bigint[], text[], timestamptz[], timestamptz[], text[], timestamptz, time, time, int, int)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0018_no_way_no_money"),
        ("members", "0001_initial"),
        ("constance", "0003_drop_pickle"),
    ]
    operations = [
        migrations.AddField("message", "is_personal", models.BooleanField(db_default=False, default=False, editable=False)),
        migrations.RunSQL(EARLIER, migrations.RunSQL.noop),
        *(
            migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
            for name in ("same_text.sql", "enqueue.sql", "enqueue_one.sql", "waiting.sql")
        ),
    ]
