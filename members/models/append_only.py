"""Triggers that make a table append-only: UPDATE, DELETE and TRUNCATE are refused by the database."""

import pgtrigger


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """The two triggers for a model's Meta; `name` prefixes them."""
    refuse = f"RAISE EXCEPTION 'the {name} ledger is append-only';"
    return [
        pgtrigger.Trigger(
            name=f"{name}_rows_stay",
            level=pgtrigger.Row,
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            func=refuse,
        ),
        pgtrigger.Trigger(
            name=f"{name}_table_stays",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func=refuse,
        ),
    ]
