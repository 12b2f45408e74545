"""Tencent Cloud SMS (2021-01-11): sent by the provider's own templates. How to connect it: docs/gateways.md."""
