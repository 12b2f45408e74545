"""Read-only questions: one module a report, rows out. Staff pages and exports show them."""
