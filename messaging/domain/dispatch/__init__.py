"""The gateway process: claim, hand over, write down the answers, acknowledge the receipts
(docs/message-states.md).
"""
