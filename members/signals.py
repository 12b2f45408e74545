"""Membership facts as Django signals. Sent only by `domain.events.publish`, with one argument: `event`.

A receiver may not change the fact, and its failure neither refuses nor loses the deed. See docs/events.md.
"""

from django.dispatch import Signal

member_enrolled = Signal()
card_opened = Signal()
card_recharged = Signal()
card_spent = Signal()
points_redeemed = Signal()
card_refunded = Signal()
booking_made = Signal()
customer_arrived = Signal()
call_missed = Signal()
fund_moved = Signal()
custom_event_happened = Signal()
