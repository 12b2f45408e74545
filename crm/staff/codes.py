"""The member's code at the till: texted to their phone, read to the cashier, checked once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.staff.access import AT_TILL, access_of, needs, page
from crm.staff.till import card_or_404
from members.models import Member
from members.refusals import Refused
from messaging.domain import verification
from messaging.enums import CodePurpose

AT_A_TILL = None  # a code asked by staff for the member before them: only the number's limits hold


class WrongCode(Refused):
    """Not the member's code, or not any more."""

    code = "code_wrong"
    field = "code"


def check_members_code(member: Member, purpose: CodePurpose, code: str, at: datetime) -> None:
    """Raises WrongCode, verification.TooManyChecks."""
    checked = verification.check_code(phone=member.phone, purpose=purpose, code=code, at=at, ip=AT_A_TILL)
    if checked.is_right:
        return
    if checked.checks_left:
        raise WrongCode(_("This is not the code. Read it again from the member’s phone."))
    raise WrongCode(_("This code is over. Send a new one."))


@require_POST
@needs(*AT_TILL)
def send_code(request: HttpRequest, card: UUID, purpose: CodePurpose = CodePurpose.PAY) -> HttpResponse:
    """Text the member a code to confirm a payment, or value passed on, with; nobody here sees it."""
    member = card_or_404(request, card).member
    context: dict[str, Any] = {"member": member}
    try:
        verification.ask_code(
            phone=member.phone,
            purpose=purpose,
            language=member.language,
            store=access_of(request).store,
            at=timezone.now(),
            ip=AT_A_TILL,
        )
    except Refused as refusal:
        context["refusal"] = refusal.message
    return page(request, "staff/_code_sent.html", context)
