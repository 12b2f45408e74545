"""Value offered to the member, to be taken or declined; value they have offered, to be withdrawn."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.portal.access import PortalRequest, member_required, page
from members.domain import transfers
from members.domain.ledger import Actor
from members.models import Transfer, TransferStatus
from members.refusals import Refused

PORTAL = Actor("portal")


@require_http_methods(["GET", "POST"])
@member_required
def transfer_answer(request: PortalRequest, public_id: UUID) -> HttpResponse:
    """One offer: the receiver takes or declines it, the giver withdraws it. To everybody else it is not there."""
    ours = Q(receiver=request.member) | Q(card__member=request.member)
    wanted = Transfer.objects.filter(ours).select_related("card__member", "receiver", "store")
    transfer = get_object_or_404(wanted, public_id=public_id)
    if request.method == "POST" and (done := _answer(request, transfer)):
        messages.success(request, done)
        return redirect("portal:home")
    context = {
        "transfer": transfer,
        "is_mine_to_take": transfer.receiver_id == request.member.pk,
        "is_done": transfer.status == TransferStatus.DONE,
        "is_open": transfer.status == TransferStatus.PROPOSED and transfer.expires_at > timezone.now(),
    }
    return page(request, "transfer", context)


def _answer(request: PortalRequest, transfer: Transfer) -> str:
    """Do what was pressed; what is said about it, empty when it was refused or was not this member's to press."""
    wish, at = request.POST.get("do"), timezone.now()
    is_receiver = transfer.receiver_id == request.member.pk
    try:
        if wish == "confirm" and is_receiver:
            transfers.confirm(actor=PORTAL, at=at, transfer=transfer)
            return _("It is on your card now.")
        if wish == "decline" and is_receiver:
            transfers.decline(at=at, transfer=transfer)
            return _("Declined. Nothing has moved.")
        if wish == "withdraw" and not is_receiver:
            transfers.withdraw(at=at, transfer=transfer)
            return _("Withdrawn. Nothing has moved.")
    except Refused as refused:
        messages.error(request, str(refused))
        transfer.refresh_from_db()
    return ""
