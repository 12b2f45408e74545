"""The ways, the budgets and what waits anew (messaging/sql/); what waited for a person and is settled is forgotten."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "sql"
SETTLED = """
DELETE FROM messaging_waiting w
WHERE w.state IN ('unknown', 'no_receipt', 'quarantined')
  AND NOT EXISTS (SELECT FROM unnest(w.ids) AS o (id) JOIN messaging_message m ON m.id = o.id AND m.state = w.state)
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0016_state_since_alone")]
    operations = [
        *(
            migrations.RunSQL((FOLDER / name).read_text(), migrations.RunSQL.noop)
            for name in ("routes.sql", "budgets.sql", "waiting.sql")
        ),
        migrations.RunSQL(SETTLED, migrations.RunSQL.noop),
    ]
