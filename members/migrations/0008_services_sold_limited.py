"""Services sold are a deed with a limit: in what the limits sum (guard.sql), and in the index they read it from. New
lots are numbered as they were given (write.sql).

Outside a transaction, and the new index before the old one goes: the tills go on meanwhile.
"""

from pathlib import Path

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"
LIMITED_KINDS = (
    "refund", "refund_recharge", "recharge", "adjust", "close", "move_out", "opening", "sell_services",
)
DEEDS = [
    ("refund", "Refunds"),
    ("refund_recharge", "Recharges refunded"),
    ("recharge", "Recharges with a plan"),
    ("sell_services", "Services sold"),
    ("adjust", "Bonus given or taken"),
    ("adjust_points", "Points given or taken"),
    ("close", "Cards closed"),
    ("transfer", "Value moved to another card"),
    ("transfer_points", "Points moved to another card"),
    ("transfer_services", "Services moved to another card"),
    ("return_services", "Services returned"),
    ("refund_points", "Points given back for rewards"),
    ("opening", "Opening balances"),
    ("export", "Members taken away as a file"),
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("members", "0007_deed_functions")]
    operations = [
        *(
            migrations.AlterField(
                model, "deed", models.CharField(choices=DEEDS, max_length=24, verbose_name="deed")
            )
            for model in ("approval", "stafflimit")
        ),
        AddIndexConcurrently(
            "operation",
            models.Index(
                fields=["staff", "created_at"],
                name="operation_limited_deeds",
                condition=models.Q(kind__in=LIMITED_KINDS),
            ),
        ),
        *(
            migrations.RunSQL((SQL / name).read_text(), migrations.RunSQL.noop)
            for name in ("guard.sql", "write.sql")
        ),
        RemoveIndexConcurrently("operation", "operation_limited"),
    ]
