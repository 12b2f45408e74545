"""The door for providers: receipts and inbound texts by HTTP callback (docs/gateways.md)."""
