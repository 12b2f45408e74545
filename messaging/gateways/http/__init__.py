"""A gateway of one's own behind a small signed JSON contract, both ways. The contract: docs/gateways.md."""
