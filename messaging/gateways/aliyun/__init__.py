"""Aliyun SMS (Dysmsapi 2017-05-25): sent by the provider's own templates. How to connect it: docs/gateways.md."""
