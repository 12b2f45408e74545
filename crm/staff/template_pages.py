"""The shop's texts: the list, and the editor with its handset, parts counter, findings and one-click fixes."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.staff.access import Access, access_of, needs, page
from crm.staff.paging import PAGE_ROWS, cut, whole_number
from crm.staff.reading import read
from crm.staff.template_forms import LANGUAGES, TextForm
from members.admin_scope import reach_of
from members.enums import Role
from members.models import Store
from members.refusals import Refused
from messaging.domain import texts
from messaging.enums import MessageClass, VersionStatus
from messaging.models import Template, TemplateVersion

WRITERS = (Role.OWNER, Role.MANAGER, Role.MARKETER)
MAY_LOOK = (*WRITERS, Role.AUDITOR)


def visible_templates(access: Access) -> QuerySet[Template]:
    """Texts of this person's stores and of every store; those that belong to one campaign stay in it."""
    own = Template.objects.filter(Q(store=None) | Q(store_id__in=access.store_ids))
    return own.exclude(key__startswith="campaign-")


@require_GET
@needs(*MAY_LOOK)
def text_list(request: HttpRequest) -> HttpResponse:
    """Every text with where each of its languages stands; three queries."""
    access = access_of(request)
    rows = visible_templates(access).select_related("store").order_by("-pk")
    wanted = request.GET.get("class", "")
    if wanted in MessageClass.values:
        rows = rows.filter(message_class=wanted)
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__lt=after)
    versions = TemplateVersion.objects.exclude(status=VersionStatus.RETIRED).order_by("language", "-number")
    found = list(rows.prefetch_related(Prefetch("versions", versions, to_attr="live"))[: PAGE_ROWS + 1])
    shown = cut(request, found, PAGE_ROWS, lambda template: str(template.pk))
    context = {
        "page": shown,
        "rows": [{"template": row, "standing": standing_of(row.live)} for row in shown.rows],
        "classes": [("", _("All")), *MessageClass.choices],
        "wanted": wanted,
        "may_write": access.may(*WRITERS),
    }
    return page(request, "staff/text_list.html", context)


def standing_of(versions: list[TemplateVersion]) -> list[TemplateVersion]:
    """The newest wording of each language."""
    newest: dict[str, TemplateVersion] = {}
    for version in versions:
        newest.setdefault(version.language, version)
    return list(newest.values())


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def text_new(request: HttpRequest) -> HttpResponse:
    """Write a new text of the current store."""
    access = access_of(request)
    blank = Template(message_class=MessageClass.NOTIFICATION, store=access.store)
    form = TextForm(request.POST or None, template=blank)
    if request.method == "POST" and form.is_valid():
        return _save(request, form, blank)
    return _editor(request, form, blank)


@require_http_methods(["GET", "POST"])
@needs(*MAY_LOOK)
def text_detail(request: HttpRequest, template: UUID) -> HttpResponse:
    """Read a text with its history; write new wordings. What belongs to every store only a superuser changes."""
    found = template_or_404(request, template)
    form = TextForm(request.POST or None, template=found)
    if request.method == "POST":
        _must_write(request, found)
        if form.is_valid():
            return _save(request, form, found)
    return _editor(request, form, found)


@require_POST
@needs(*WRITERS)
def check_new(request: HttpRequest) -> HttpResponse:
    """The live side of a text that is not saved yet."""
    return _live(request, Template(store=access_of(request).store))


@require_POST
@needs(*WRITERS)
def check_text(request: HttpRequest, template: UUID) -> HttpResponse:
    """The live side: what is typed, judged and shown in the handset. Writes nothing."""
    return _live(request, template_or_404(request, template))


@require_POST
@needs(*WRITERS)
def take_out_offer(request: HttpRequest, template: UUID) -> HttpResponse:
    """The offer of a half-and-half text becomes a marketing text of its own, waiting for a second person."""
    found = template_or_404(request, template)
    _must_write(request, found)
    language, offer = request.POST.get("language", ""), request.POST.get("offer", "").strip()
    if language not in LANGUAGES.values() or not offer:
        return _editor(request, TextForm(None, template=found), found, status=422)
    own = Template(
        key=_new_key(f"{found.key}-offer"),
        name=_("%(text)s: the offer") % {"text": found.name[:70]},
        message_class=MessageClass.MARKETING,
        store=found.store,
    )
    try:
        with transaction.atomic():
            own.save()
            texts.save_draft(
                template=own, language=language, text=offer, by=access_of(request).staff, at=timezone.now()
            )
    except Refused as refusal:
        messages.error(request, str(refusal.message))
        return HttpResponseRedirect(reverse("staff:text_detail", args=[found.public_id]))
    messages.success(request, _("The offer is a marketing text of its own now and waits for a reviewer."))
    return HttpResponseRedirect(reverse("staff:text_detail", args=[own.public_id]))


def template_or_404(request: HttpRequest, public_id: UUID) -> Template:
    """A text this person may see."""
    rows = visible_templates(access_of(request)).select_related("store")
    return get_object_or_404(rows, public_id=public_id)


def _must_write(request: HttpRequest, template: Template) -> None:
    if not reach_of(request).may(template.store_id, WRITERS):
        raise PermissionDenied


@transaction.atomic
def _write(request: HttpRequest, form: TextForm, template: Template) -> list[TemplateVersion]:
    template.name = form.cleaned_data["name"]
    if template.pk is None:
        template.message_class = form.cleaned_data["message_class"]
        template.event_type = form.cleaned_data["event_type"]
        template.key = _new_key(slugify(template.name))
    template.save()
    staff, at = access_of(request).staff, timezone.now()
    return [
        texts.save_draft(template=template, language=language, text=text, by=staff, at=at)
        for language, text in form.changed_wordings.items()
    ]


def _save(request: HttpRequest, form: TextForm, template: Template) -> HttpResponse:
    for version in _write(request, form, template):
        if version.status == VersionStatus.APPROVED:
            said = _("%(version)s: approved automatically, nothing promotional found.")
        else:
            said = _("%(version)s: waits at the review desk.")
        messages.success(request, said % {"version": version})
    return HttpResponseRedirect(reverse("staff:text_detail", args=[template.public_id]))


def _new_key(wish: str) -> str:
    """A key nobody has; never one that begins like those of the campaigns' own texts, which no list here shows."""
    key = wish[:45] or "text"
    if key.startswith("campaign"):
        key = f"text-{key}"
    taken = Template.objects.filter(key=key).exists()
    return f"{key}-{uuid.uuid4().hex[:8]}" if taken or key == "text" else key


def _editor(request: HttpRequest, form: TextForm, template: Template, status: int = 200) -> HttpResponse:
    versions = (
        list(template.versions.select_related("approved_by", "written_by", "returned_by")[:20])
        if template.pk
        else []
    )
    context = {
        "form": form,
        "template": template,
        "versions": versions,
        "returned": [
            one for one in standing_of(_newest_first(versions)) if one.status == VersionStatus.RETURNED
        ],
        "may_write": reach_of(request).may(template.store_id, WRITERS),
        **_live_context(request, form, template),
    }
    return page(request, "staff/text_detail.html", context, 422 if form.errors else status)


def _newest_first(versions: list[TemplateVersion]) -> list[TemplateVersion]:
    return sorted(versions, key=lambda one: (one.language, -one.number))


def _live(request: HttpRequest, template: Template) -> HttpResponse:
    form = TextForm(request.POST, template=template)
    form.is_valid()
    return page(request, "staff/_text_live.html", _live_context(request, form, template))


def _live_context(request: HttpRequest, form: TextForm, template: Template) -> dict[str, Any]:
    store: Store | None = template.store or access_of(request).store
    judged = form.as_template()
    shown = {name: text for name, text in form.typed.items() if text.strip()}
    first = get_language() == "zh-hans"
    ordered = sorted(shown, key=lambda name: (name == "text_zh") != first)
    return {
        "template": template,
        "judged": judged,
        "readings": [
            {"name": name, "reading": read(judged, LANGUAGES[name], shown[name], store)} for name in ordered
        ],
        "store": store,
        "chips": form.chips(),
    }
