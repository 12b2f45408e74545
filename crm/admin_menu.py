"""The back office's own navigation: what one person may see, in the order a shop sets itself up."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from campaigns.models import Campaign, Run, TriggerRule
from crm.api.models import ApiKey
from members.admin_scope import stores_of
from members.models import (
    Card,
    CardProduct,
    CustomEventType,
    EarningRule,
    FraudRule,
    GoodsCategory,
    Member,
    MembershipEvent,
    Operation,
    Purchase,
    RechargePlan,
    Reward,
    ServiceGroup,
    Staff,
    StaffLimit,
    Store,
    StoreAcceptance,
    TierScheme,
)
from messaging.models import (
    Contact,
    Gateway,
    GatewayPrice,
    InboundText,
    Message,
    ProviderTemplate,
    Qualification,
    Region,
    Registration,
    Route,
    Signature,
    Template,
    TemplateVersion,
)

Item = tuple[type[Model], str]

SECTIONS: tuple[tuple[Promise, tuple[Item, ...]], ...] = (
    (_("The shop"), ((Store, "storefront"), (Staff, "badge"), (StaffLimit, "speed"), (FraudRule, "policy"))),
    (_("Members"), ((Member, "group"), (Card, "credit_card"), (Purchase, "shopping_bag"))),
    (
        _("Stored value"),
        (
            (CardProduct, "wallet"),
            (RechargePlan, "add_card"),
            (ServiceGroup, "local_car_wash"),
            (GoodsCategory, "category"),
            (StoreAcceptance, "sync_alt"),
            (EarningRule, "stars"),
            (Reward, "redeem"),
            (TierScheme, "military_tech"),
            (Operation, "receipt_long"),
        ),
    ),
    (
        _("Texts"),
        (
            (Template, "description"),
            (TemplateVersion, "rule"),
            (Message, "sms"),
            (InboundText, "mark_chat_read"),
        ),
    ),
    (
        _("Campaigns"),
        (
            (TriggerRule, "bolt"),
            (MembershipEvent, "history"),
            (CustomEventType, "label"),
            (Campaign, "campaign"),
            (Run, "send"),
        ),
    ),
    (
        _("Reports to carriers"),
        (
            (Qualification, "verified"),
            (Signature, "signature"),
            (Contact, "link"),
            (Registration, "task_alt"),
            (ProviderTemplate, "fact_check"),
        ),
    ),
    (
        _("Connections"),
        (
            (Gateway, "cell_tower"),
            (GatewayPrice, "sell"),
            (Route, "alt_route"),
            (Region, "public"),
            (ApiKey, "key"),
        ),
    ),
    (
        _("Schedules"),
        (
            (PeriodicTask, "schedule"),
            (IntervalSchedule, "timelapse"),
            (CrontabSchedule, "calendar_month"),
            (ClockedSchedule, "alarm"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The way back to the till, then every section with something in it for this person."""
    groups: list[dict[str, Any]] = [
        {"items": [_item(_("Back to the till"), "arrow_back", reverse("staff:till"))]}
    ]
    for title, items in SECTIONS:
        shown = [_of_model(model, icon) for model, icon in items if _may_see(model, request)]
        if shown:
            groups.append({"title": title, "separator": True, "collapsible": False, "items": shown})
    if request.user.is_superuser:  # type: ignore[union-attr]
        rules = _item(_("Rules of the house"), "tune", reverse("admin:constance_config_changelist"))
        groups.append({"title": _("Settings"), "separator": True, "items": [rules]})
    return groups


def sectioned(app_list: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Django's list of applications as our sections."""
    pages = {page["model"]: page for app in app_list for page in app["models"]}
    found = []
    for title, items in SECTIONS:
        models = [pages[model] for model, _icon in items if model in pages]
        if models:
            found.append(
                {"name": title, "app_label": "", "app_url": "", "has_module_perms": True, "models": models}
            )
    return found


def zone_of(request: HttpRequest) -> str:
    """The zone times are shown in: that of the store the person works in, else of the first of theirs."""
    if not request.user.is_authenticated:
        return "UTC"
    stores = dict(stores_of(request).order_by("pk").values_list("pk", "timezone"))
    return stores.get(request.session.get("store_id")) or next(iter(stores.values()), "UTC")


def subheader(request: HttpRequest) -> str:
    """What stands below the house's name: where one is, and whose clock the pages show."""
    return f"{_('Set-up')} · {timezone.get_current_timezone_name()}"


def mark(request: HttpRequest) -> str:
    """The address of the house's mark."""
    return static("shared/mark.svg")


def _may_see(model: type[Model], request: HttpRequest) -> bool:
    return admin.site._registry[model].has_view_permission(request)


def _of_model(model: type[Model], icon: str) -> dict[str, Any]:
    options = model._meta
    title = str(options.verbose_name_plural)
    link = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return _item(title[:1].upper() + title[1:], icon, link)


def _item(title: str | Promise, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}
