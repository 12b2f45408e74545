"""Who may do what, where. Every page of the staff web goes through `staff_required` or `needs`.

A person works in one store at a time, kept in the session and chosen from those they have a role in. What belongs
to no store of theirs does not exist for them: 404. What their role there does not include is refused: 403.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from members.domain.ledger import Actor
from members.enums import Role
from members.models import Staff, StaffRole, Store

STORE_KEY = "store_id"
AT_TILL = (Role.CASHIER, Role.MANAGER, Role.OWNER)
IN_CHARGE = (Role.MANAGER, Role.OWNER)
MAY_EXPORT = (Role.MANAGER, Role.OWNER, Role.MARKETER, Role.AUDITOR)

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Access:
    """A person at work: their stores, the one they are in, their roles there, and (store id, role) of all.

    `approval` is the second person's yes that this deed is done on, if it is.
    """

    staff: Staff
    stores: tuple[Store, ...]
    store: Store
    roles: frozenset[str]
    held: frozenset[tuple[int, str]] = frozenset()
    approval: str = ""

    def may(self, *roles: Role) -> bool:
        """Whether the person holds one of these roles in the current store; the same answer as `Staff.may`."""
        return self.staff.is_superuser or not self.roles.isdisjoint(roles)

    def stores_with(self, *roles: Role) -> list[Store]:
        """The stores in which the person holds one of these roles: what a list over several stores may hold."""
        if self.staff.is_superuser:
            return list(self.stores)
        return [store for store in self.stores if any((store.pk, role) in self.held for role in roles)]

    @property
    def store_ids(self) -> list[int]:
        return [store.pk for store in self.stores]

    @property
    def actor(self) -> Actor:
        """The name under which the ledger writes down what this person does."""
        return Actor(scope=f"staff:{self.staff.pk}", staff_id=self.staff.pk, approval=self.approval)


class NoStore(PermissionDenied):
    """The person has no role in any open store."""


def access_of(request: HttpRequest) -> Access:
    """The logged-in person's access, read once a request. Raises NoStore."""
    found = getattr(request, "_staff_access", None)
    if found is None:
        found = request._staff_access = _read(request)  # type: ignore[attr-defined]
    return found


def current_store(request: HttpRequest) -> Store:
    """The store the person is working in. Raises NoStore."""
    return access_of(request).store


def _read(request: HttpRequest) -> Access:
    staff: Staff = request.user  # type: ignore[assignment]
    if staff.is_superuser:
        stores, roles = {store.pk: store for store in Store.objects.filter(is_active=True)}, []
    else:
        roles = list(StaffRole.objects.filter(staff=staff, store__is_active=True).select_related("store"))
        stores = {role.store_id: role.store for role in sorted(roles, key=lambda role: role.store.name)}
    if not stores:
        raise NoStore
    chosen = stores.get(request.session.get(STORE_KEY, 0)) or next(iter(stores.values()))
    held = frozenset((role.store_id, role.role) for role in roles)
    here = frozenset(role for store_id, role in held if store_id == chosen.pk)
    return Access(staff, tuple(stores.values()), chosen, here, held)


def staff_required(view: View) -> View:
    """Logged in, with a store; the page is shown in that store's time."""
    return needs()(view)


def needs(*roles: Role) -> Callable[[View], View]:
    """Logged in, holding one of these roles (any role when none is named) in the current store; else 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _log_in_first(request)
            _refuse_nul(request)
            try:
                access = access_of(request)
            except NoStore:
                return render(request, "staff/no_store.html", status=403)
            if roles and not access.may(*roles):
                raise PermissionDenied
            with timezone.override(access.store.zone):
                return view(request, *args, **kwargs)

        return guarded

    return decorate


def _log_in_first(request: HttpRequest) -> HttpResponse:
    """The way in. It never takes the place of a part of a page, where something may be typed: that is 401.

    A form that comes too late leads back to the page it stood on, as its own address may show nothing.
    """
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=401)
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    page_before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(page_before, {request.get_host()}, request.is_secure())
    back = urlsplit(page_before)._replace(scheme="", netloc="").geturl() if is_ours else reverse("staff:home")
    return redirect_to_login(back, f"{reverse('staff:login')}?unsent=1")


def _refuse_nul(request: HttpRequest) -> None:
    """No keyboard types NUL and no column keeps it: 400, before it comes near the database."""
    for asked in (request.GET, request.POST):
        if any("\x00" in said for _name, values in asked.lists() for said in values):
            raise BadRequest


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a page or a fragment with what the staff shell shows: the stores, the current one, what may be done."""
    access = access_of(request)
    shell = {
        "stores": access.stores,
        "current_store": access.store,
        "may_deal": access.may(*AT_TILL),
        "may_refund": access.may(*IN_CHARGE),
    }
    return render(request, template, {**shell, **(context or {})}, status=status)
