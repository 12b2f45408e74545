"""A code to the phone, asked for and checked by whoever is at this browser."""

from django.utils import timezone

from crm.client_address import address_of
from crm.portal.access import PortalRequest, device_of
from messaging.domain import verification
from messaging.enums import CodePurpose


def send_code(request: PortalRequest, purpose: CodePurpose) -> None:
    """Text the member who is logged in a code. Raises what `verification.ask_code` does."""
    verification.ask_code(
        phone=request.member.phone,
        purpose=purpose,
        language=request.member.language,
        store=None,
        at=timezone.now(),
        ip=address_of(request),
        device=device_of(request),
    )


def check_code(request: PortalRequest, phone: str, purpose: CodePurpose, code: str) -> verification.Checked:
    """What the check of a code says. Raises TryLater."""
    return verification.check_code(
        phone=phone,
        purpose=purpose,
        code=code,
        at=timezone.now(),
        ip=address_of(request),
        device=device_of(request),
    )
