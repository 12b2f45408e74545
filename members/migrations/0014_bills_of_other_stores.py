"""A plain bill takes value of another store, and value with terms, in one statement too (members/sql/); what is left of
an account's lots is found by lot_spendable alone."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = ("lot_uses.sql", "open.sql", "express.sql", "express_take.sql")


class Migration(migrations.Migration):
    dependencies = [("members", "0013_merges_counted_once")]
    operations = [
        migrations.AlterField(
            model_name="lot",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="members.account",
            ),
        ),
        *(migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop) for name in FILES),
    ]
