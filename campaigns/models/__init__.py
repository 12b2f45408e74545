from campaigns.models.campaign import Campaign, Recipient, Run, RunChunk
from campaigns.models.rule import RuleFiring, TriggerRule

__all__ = ["Campaign", "Recipient", "RuleFiring", "Run", "RunChunk", "TriggerRule"]
