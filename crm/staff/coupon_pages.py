"""Coupon definitions: what is out, what was used, what it cost; written with a preview, given to a member, made void.

Whoever works in a store sees the definitions that store takes. A manager, marketer or owner of every store a
definition is for may change it; one for every store is for those in charge of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.staff.access import AT_TILL, IN_CHARGE, access_of, needs, page, staff_required
from crm.staff.counter import once_key
from crm.staff.coupon_forms import CouponForm, GiftForm, VoidForm
from crm.staff.finding import clean_query, find
from crm.staff.paging import PAGE_ROWS, cut, is_uuid, whole_number
from members.domain import audit, coupons
from members.domain.coupon_words import conditions, headline, limits
from members.enums import Role
from members.models import Coupon, CouponDefinition, CouponState, Member, StaffRole, Store
from members.refusals import Refused

WRITERS = (Role.MANAGER, Role.MARKETER, Role.OWNER)
SHOWN_HANDOUTS = 5
_TONES = {
    CouponState.ISSUED: "brand",
    CouponState.RESERVED: "wait",
    CouponState.REDEEMED: "good",
    CouponState.VOID: "bad",
    CouponState.EXPIRED: "plain",
}


@require_GET
@staff_required
def coupon_list(request: HttpRequest) -> HttpResponse:
    """The definitions this store takes, newest first, with what is out, used and spent of the budget."""
    access = access_of(request)
    found = _visible(request).at_store(access.store.pk).prefetch_related("stores", "categories")
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        found = found.filter(pk__lt=after)
    shown = cut(request, list(found.order_by("-pk")[: PAGE_ROWS + 1]), PAGE_ROWS, lambda one: str(one.pk))
    rows = [_described(definition) for definition in shown.rows]
    return page(
        request, "staff/coupon_list.html", {"page": shown, "rows": rows, "may_write": access.may(*WRITERS)}
    )


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def coupon_new(request: HttpRequest) -> HttpResponse:
    """A new definition, for stores of one's own."""
    return _write(request, CouponDefinition())


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def coupon_edit(request: HttpRequest, definition: UUID) -> HttpResponse:
    """An existing definition; what was promised with coupons that are out stays as it is."""
    found = definition_or_404(request, definition)
    if not may_change(request, found):
        raise PermissionDenied
    return _write(request, found)


@require_POST
@needs(*WRITERS)
def coupon_preview(request: HttpRequest) -> HttpResponse:
    """What is being written, in words, with sample bills. Nothing stays of it."""
    editing = request.GET.get("definition", "")
    draft = _visible(request).filter(public_id=editing).first() if is_uuid(editing) else None
    form = _form(request, draft or CouponDefinition(), request.POST)
    return page(request, "staff/_coupon_preview.html", _previewed(form))


@require_GET
@staff_required
def coupon_detail(request: HttpRequest, definition: UUID) -> HttpResponse:
    """One definition with its coupons, newest first; only those of members one may see."""
    return _show(request, definition_or_404(request, definition))


@require_POST
@needs(*AT_TILL)
def coupon_issue(request: HttpRequest, definition: UUID) -> HttpResponse:
    """Give one member a coupon by hand, once per form, with a reason."""
    found, access = definition_or_404(request, definition), access_of(request)
    form, once = GiftForm(request.POST), once_key(request)
    if not once:
        form.refuse(_("This form is incomplete. Open it again and repeat your entry."), "")
    if once and form.is_valid():
        try:
            coupon = coupons.issue(
                definition=found,
                member=_member(request, form),
                actor=access.actor,
                key=f"gift:{once}",
                at=timezone.now(),
                store=access.store,
                reason=form.cleaned_data["reason"],
                is_by_hand=True,
            )
        except Refused as refusal:
            form.refuse(refusal.message, refusal.field)
        else:
            told = {"code": coupon, "member": coupon.member}
            messages.success(request, _("%(member)s has the coupon %(code)s.") % told)
            return HttpResponseRedirect(_url(found))
    return _show(request, found, status=422, gift=form, once=once)


@require_POST
@needs(*WRITERS)
def coupon_stop(request: HttpRequest, definition: UUID) -> HttpResponse:
    """Give out no more of them, or go on again. What is out stays good."""
    found = definition_or_404(request, definition)
    if not may_change(request, found):
        raise PermissionDenied
    before, found.is_active = _audited(found), "on" in request.POST
    found.save(update_fields=["is_active"])
    access = access_of(request)
    audit.write(
        actor=access.actor,
        verb="changed",
        subject=found,
        store=access.store,
        before=before,
        after=_audited(found),
        at=timezone.now(),
    )
    said = (
        _("They are given out again.")
        if found.is_active
        else _("No more are given out. What is out stays good.")
    )
    messages.success(request, said)
    return HttpResponseRedirect(_url(found))


@require_http_methods(["GET", "POST"])
@needs(*IN_CHARGE)
def coupon_void(request: HttpRequest, coupon: UUID) -> HttpResponse:
    """Make one unused coupon worthless, with the reason. A manager's or an owner's word."""
    access = access_of(request)
    mine = Coupon.objects.visible_to(access.staff).select_related("definition", "member", "store")
    found = get_object_or_404(mine, public_id=coupon)
    form = VoidForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            coupons.void(
                coupon=found,
                actor=access.actor,
                reason=form.cleaned_data["reason"],
                at=timezone.now(),
            )
        except Refused as refusal:
            form.refuse(refusal.message, refusal.field)
        else:
            messages.success(request, _("The coupon %(code)s is void.") % {"code": found})
            return HttpResponseRedirect(_url(found.definition))
    context = {"coupon": found, "form": form, "headline": headline(found.definition)}
    return page(request, "staff/coupon_void.html", context, 422 if form.errors else 200)


def _visible(request: HttpRequest) -> Any:
    return CouponDefinition.objects.visible_to(access_of(request).staff)


def definition_or_404(request: HttpRequest, definition: UUID) -> CouponDefinition:
    found: CouponDefinition = get_object_or_404(
        _visible(request).prefetch_related("stores", "categories"), public_id=definition
    )
    return found


def _url(definition: CouponDefinition) -> str:
    return reverse("staff:coupon_detail", args=[definition.public_id])


def _described(definition: CouponDefinition) -> dict[str, Any]:
    stores, categories = definition.stores.all(), definition.categories.all()
    return {
        "definition": definition,
        "headline": headline(definition),
        "conditions": conditions(definition, stores, categories),
        "limits": limits(definition),
    }


def _writable_stores(request: HttpRequest) -> set[int]:
    """The stores in which the person may write coupons."""
    access = access_of(request)
    if access.staff.is_superuser:
        return set(Store.objects.filter(is_active=True).values_list("pk", flat=True))
    roles = StaffRole.objects.filter(staff=access.staff, role__in=WRITERS, store__is_active=True)
    return set(roles.values_list("store_id", flat=True))


def _may_everywhere(writable: set[int]) -> bool:
    return not Store.objects.filter(is_active=True).exclude(pk__in=writable).exists()


def may_change(request: HttpRequest, definition: CouponDefinition) -> bool:
    writable = _writable_stores(request)
    stores = {store.pk for store in definition.stores.all()}
    return stores <= writable if stores else _may_everywhere(writable)


def _form(request: HttpRequest, definition: CouponDefinition, data: Any = None) -> CouponForm:
    writable = _writable_stores(request)
    stores = Store.objects.filter(pk__in=writable)
    initial = {} if definition.pk else {"stores": [access_of(request).store.pk]}
    return CouponForm(
        data,
        instance=definition,
        initial=initial,
        stores=stores,
        may_everywhere=_may_everywhere(writable),
    )


def _write(request: HttpRequest, definition: CouponDefinition) -> HttpResponse:
    is_new, before = definition.pk is None, _audited(definition)
    form = _form(request, definition, request.POST or None)
    if request.method == "POST" and form.is_valid():
        saved = _saved(form, is_new)
        access = access_of(request)
        audit.write(
            actor=access.actor,
            verb="added" if is_new else "changed",
            subject=saved,
            store=access.store,
            before={} if is_new else before,
            after=_audited(saved),
            at=timezone.now(),
        )
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(_url(saved))
    context = {"form": form, "definition": definition, "is_new": is_new, **_previewed(form)}
    return page(request, "staff/coupon_form.html", context, 422 if form.errors else 200)


def _saved(form: CouponForm, is_new: bool) -> CouponDefinition:
    """Of one that is there only what the form asks is written: the till counts on in the other columns."""
    if is_new:
        return form.save()  # type: ignore[no-any-return]
    found: CouponDefinition = form.save(commit=False)
    found.save(update_fields=[name for name in form.cleaned_data if name not in ("stores", "categories")])
    form.save_m2m()
    return found


def _audited(definition: CouponDefinition) -> dict[str, Any]:
    names = ("name", "kind", "off_minor", "percent", "quota", "budget_minor", "is_active")
    return {name: getattr(definition, name) for name in names}


def _previewed(form: CouponForm) -> dict[str, Any]:
    """The words and the sample bills of what stands in the form, if it makes sense."""
    is_ready = form.is_bound and form.is_valid() or (not form.is_bound and form.instance.pk)
    if not is_ready:
        return {"form": form}
    draft = form.instance
    if form.is_bound:
        stores, categories = form.cleaned_data["stores"], form.cleaned_data["categories"]
    else:
        stores, categories = draft.stores.all(), draft.categories.all()
    return {
        "form": form,
        "headline": headline(draft),
        "conditions": conditions(draft, stores, categories),
        "limits": limits(draft),
        "samples": form.samples(),
    }


def _show(
    request: HttpRequest,
    definition: CouponDefinition,
    *,
    status: int = 200,
    gift: GiftForm | None = None,
    once: str = "",
) -> HttpResponse:
    access = access_of(request)
    rows = Coupon.objects.visible_to(access.staff).filter(definition=definition)
    if (after := whole_number(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__lt=after)
    listed = list(rows.select_related("member", "store", "staff").order_by("-pk")[: PAGE_ROWS + 1])
    shown = cut(request, listed, PAGE_ROWS, lambda coupon: str(coupon.pk))
    context = {
        **_described(definition),
        "page": shown,
        "rows": _with_tones(shown.rows),
        "gift": gift or GiftForm(),
        "once": once,
        "may_write": access.may(*WRITERS) and may_change(request, definition),
        "handouts": definition.handouts.filter(store=access.store)[:SHOWN_HANDOUTS],
        "may_issue": access.may(*AT_TILL),
        "may_void": access.may(*IN_CHARGE),
    }
    return page(request, "staff/coupon_detail.html", context, status)


def _with_tones(rows: Sequence[Coupon]) -> list[dict[str, Any]]:
    still_open = (CouponState.ISSUED, CouponState.RESERVED)
    return [
        {
            "coupon": coupon,
            "tone": _TONES[CouponState(coupon.state)],
            "may_end": coupon.state in still_open,
        }
        for coupon in rows
    ]


class _NotOne(Refused):
    """The words name nobody, or more than one member."""

    code = "member_not_found"
    field = "member"


def _member(request: HttpRequest, form: GiftForm) -> Member:
    """The one member of the person's stores that was named. Raises a refusal when there is none, or several."""
    mine = Member.objects.visible_to(access_of(request).staff)
    found = find(mine, clean_query(form.cleaned_data["member"]))
    if len(found) != 1:
        words = (
            _("Several members match. Type the whole phone number or member number.")
            if found
            else _("Nobody of your stores has this number or name.")
        )
        raise _NotOne(words)
    return found[0]
