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
card_frozen = Signal()
card_unfrozen = Signal()
card_replaced = Signal()
card_closed = Signal()
recharge_refunded = Signal()
services_sold = Signal()
service_taken = Signal()
service_returned = Signal()
value_held = Signal()
hold_ended = Signal()
value_sent = Signal()
value_received = Signal()
value_adjusted = Signal()
value_expiring = Signal()
balance_low = Signal()
points_earned = Signal()
coupon_issued = Signal()
coupon_expiring = Signal()
tier_changed = Signal()
phone_change_asked = Signal()
phone_changed = Signal()
booking_made = Signal()
customer_arrived = Signal()
call_missed = Signal()
fund_moved = Signal()
custom_event_happened = Signal()

# No events: what other packages keep by number or by name follows in the same transaction, and a receiver that
# fails undoes the whole (`send`, not `send_robust`).
phone_moved = Signal()
members_merged = Signal()
person_erased = Signal()
