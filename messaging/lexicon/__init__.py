"""The words and phrases that tell promotion from service: data for messaging/linter.py.

Patterns read the normalised text: NFKC, lower case, simplified, tricks between Chinese characters removed.
Weight 3 alone makes a text promotional; 1 and 2 send it to a reviewer. Checked 2026-11 (sms-facts §5).
"""

from messaging.lexicon.approaches import APPROACHES
from messaging.lexicon.offers import OFFERS

RULES = OFFERS + APPROACHES
