"""Coming in, going out, and what is chosen once: the store and the language."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views import i18n
from django.views.decorators.http import require_POST

from crm.staff.access import IN_CHARGE, STORE_KEY, NoStore, access_of, staff_required
from crm.staff.paging import whole_number
from members.models import Staff, Store


class Login(auth_views.LoginView):
    """Name and password. Five failures lock the name at that address (django-axes answers 429 then)."""

    template_name = "staff/login.html"
    authentication_form = AuthenticationForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if language := self.request.user.language:  # type: ignore[union-attr]
            remember_language(response, language)
        return response

    def get_default_redirect_url(self) -> str:
        return start_of(self.request)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class Logout(auth_views.LogoutView):
    """Only by POST: a link or an image cannot log anybody out."""

    http_method_names = ["post", "options"]


def home(request: HttpRequest) -> HttpResponse:
    """Where one's day begins."""
    return HttpResponseRedirect(start_of(request))


def start_of(request: HttpRequest) -> str:
    """The overview for those in charge where they work; the till for everybody else."""
    try:
        is_in_charge = request.user.is_authenticated and access_of(request).may(*IN_CHARGE)
    except NoStore:
        is_in_charge = False
    return reverse("staff:dashboard" if is_in_charge else "staff:till")


@require_POST
@staff_required
def choose_store(request: HttpRequest) -> HttpResponse:
    """Work in another of one's stores. A store one has no role in is 404."""
    wanted = request.POST.get("store", "")
    stores = Store.objects.visible_to(request.user).filter(is_active=True)  # type: ignore[arg-type]
    store = get_object_or_404(stores, pk=whole_number(wanted) or 0)
    request.session[STORE_KEY] = store.pk
    return HttpResponseRedirect(_safe_next(request) or reverse("staff:till"))


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Change the language of the pages; a member of staff keeps it for the next log-in as well."""
    response = i18n.set_language(request)
    language = request.POST.get("language", "")
    if isinstance(request.user, Staff) and language in dict(settings.LANGUAGES):
        Staff.objects.filter(pk=request.user.pk).update(language=language)
    return response


def remember_language(response: HttpResponse, language: str) -> None:
    """The cookie Django reads the language from, unless it says so already."""
    if language in dict(settings.LANGUAGES) and language != get_language():
        options: dict[str, Any] = {"max_age": 365 * 24 * 3600, "samesite": "Lax", "secure": settings.IS_HTTPS}
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, **options)


def _safe_next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else ""
