"""Proof of work: while a breaker is on, whoever asks for a code lets their machine work half a second first.

A challenge is signed, bound to the number and good for ten minutes; its proof is accepted once. The work: find a
counter so that SHA-256 of "challenge:counter" begins with so many zero bits (static/portal/proof.js).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from messaging.domain.verification_refusals import ProofNeeded
from messaging.models import SpentProof

BITS = 15  # 33,000 tries: about half a second in a phone's browser
VALID_FOR = timedelta(minutes=10)
_SALT = "messaging.verification.proof"


def demand(proof: str, *, number: bytes, at: datetime) -> None:
    """Accept the proof and use it up. Raises ProofNeeded with a new challenge when it is none, old or used."""
    if not (is_right(proof, number=number, at=at) and _is_first(proof, at)):
        raise ProofNeeded(
            _("So many codes are asked for that your browser has to work a moment first."),
            challenge=challenge(number=number, at=at),
            bits=BITS,
        )


def challenge(*, number: bytes, at: datetime) -> str:
    """A new one for this number."""
    said = {"number": number.hex(), "at": int(at.timestamp()), "once": secrets.token_urlsafe(9)}
    return signing.dumps(said, salt=_SALT)


def is_right(proof: str, *, number: bytes, at: datetime) -> bool:
    """Whether this is the work, for a challenge of ours, for this number, in time."""
    token, _colon, counter = proof.rpartition(":")
    if not counter.isascii() or not counter.isdigit() or len(counter) > 20:
        return False
    try:
        said = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return False
    age = at.timestamp() - said["at"]
    if said["number"] != number.hex() or not -1 <= age <= VALID_FOR.total_seconds():
        return False
    digest = hashlib.sha256(proof.encode()).digest()
    return int.from_bytes(digest[:4]) >> (32 - BITS) == 0


def _is_first(proof: str, at: datetime) -> bool:
    token = proof.rpartition(":")[0]
    try:
        with transaction.atomic():
            SpentProof.objects.create(token_hash=hashlib.sha256(token.encode()).digest(), at=at)
    except IntegrityError:
        return False
    return True
