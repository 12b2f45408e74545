"""What providers and carriers have been told and what they said: templates, signatures, links and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from members.models import Store
from messaging.domain.rules import home_pack
from messaging.enums import ReportStatus
from messaging.models import Contact, Gateway, ProviderTemplate, Registration, Signature, TemplateVersion
from messaging.rules import provider


@dataclass(frozen=True)
class ProviderState:
    """How one wording stands with one gateway's provider; `needs_template`: nothing goes out without its yes."""

    gateway: Gateway
    needs_template: bool
    mirror: ProviderTemplate | None


@dataclass(frozen=True)
class Unreported:
    """A signature or contact of a text that a gateway's carriers have not passed."""

    gateway: Gateway
    what: str
    status: ReportStatus
    reason: str = ""


def provider_states(version: TemplateVersion) -> list[ProviderState]:
    """Every gateway in use with what its provider said of this wording; two queries."""
    mirrors = {row.gateway_id: row for row in version.at_providers.all()}
    return [
        ProviderState(gateway, bool(pack and pack.needs_template), mirrors.get(gateway.pk))
        for gateway in Gateway.objects.filter(is_active=True)
        for pack in [provider(gateway.kind)]
    ]


def note_provider_state(
    *, version: TemplateVersion, gateway: Gateway, status: ReportStatus, code: str = "", reason: str = ""
) -> ProviderTemplate:
    """Write down what a provider says of a wording: by hand, or by an adapter's import. The last word stays."""
    found, _created = ProviderTemplate.objects.update_or_create(
        version=version,
        gateway=gateway,
        defaults={"status": status, "code": code.strip()[:64], "reason": reason.strip()[:300]},
    )
    return found


@transaction.atomic
def import_provider_states(*, gateway: Gateway, states: Mapping[str, tuple[ReportStatus, str]]) -> int:
    """Take over what a provider lists, by its own template ids: (status, reason). Ids nobody knows are passed over."""
    changed = 0
    for row in ProviderTemplate.objects.select_for_update().filter(gateway=gateway, code__in=list(states)):
        status, reason = states[row.code]
        if (row.status, row.reason) != (status, reason[:300]):
            row.status, row.reason = status, reason[:300]
            row.save(update_fields=["status", "reason"])
            changed += 1
    return changed


def unreported(version: TemplateVersion, store: Store) -> list[Unreported]:
    """What gateways that refuse unreported texts would refuse this wording for; nothing where no law asks."""
    reporting = home_pack().reporting
    if reporting is None or not reporting.is_required:
        return []
    gateways = list(Gateway.objects.filter(is_active=True, needs_reports=True))
    return [missing for gateway in gateways for missing in _missing(gateway, version, store)]


def _missing(gateway: Gateway, version: TemplateVersion, store: Store) -> Iterable[Unreported]:
    name = store.sms_signature.strip("【】 ")
    signature = Signature.objects.filter(text=name).first()
    state = _worst(Registration.objects.filter(signature=signature, gateway=gateway)) if signature else None
    if state is None or state.status != ReportStatus.APPROVED:
        yield Unreported(gateway, f"【{name}】", _status(state), state.reason if state else "")
    for value in version.contacts:
        carried = store.phone.replace(" ", "").replace("-", "") if value == "{store_phone}" else value
        if not carried:
            continue
        contact = _contact(signature, carried)
        state = _worst(Registration.objects.filter(contact=contact, gateway=gateway)) if contact else None
        if state is None or state.status != ReportStatus.APPROVED:
            yield Unreported(gateway, carried, _status(state), state.reason if state else "")


def _contact(signature: Signature | None, value: str) -> Contact | None:
    rows = Contact.objects.filter(signature=signature) if signature else []
    covering = (
        row for row in rows if row.value == value or (row.kind == "link" and value.startswith(row.value))
    )
    return next(covering, None)


def _worst(rows: Iterable[Registration]) -> Registration | None:
    """Of several carriers' answers the one that stands in the way; None when nothing was reported."""
    found = list(rows)
    return next((row for row in found if row.status != ReportStatus.APPROVED), found[0] if found else None)


def _status(row: Registration | None) -> ReportStatus:
    return ReportStatus(row.status) if row else ReportStatus.NONE
