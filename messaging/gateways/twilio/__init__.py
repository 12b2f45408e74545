"""Twilio's Programmable Messaging: whole texts, receipts by callback. How to connect it: docs/gateways.md."""
