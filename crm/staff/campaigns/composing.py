"""What the composer shows of a plan: whom it reaches, how it reads, what is wrong, how far it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.domain import drafting
from campaigns.domain.audiences import Audience, capped_count
from campaigns.enums import Timing
from campaigns.models import Campaign
from crm.shell.formats import money_text
from crm.staff.access import access_of
from crm.staff.campaigns.forecasting import waits_until_hours
from crm.staff.campaigns.plan_form import TEXT_FIELDS, PlanForm, print_of
from crm.staff.campaigns.previewing import made_up, preview, reviews_of, samples_of, text_problems
from crm.staff.campaigns.reviewing import Stage, slot_of, standing
from crm.staff.campaigns.words import next_run_at, timing_words, zone_name
from members.refusals import Refused
from messaging.domain.outbox import permitted_hours

NAMES_SHOWN = 5

Errors = list[tuple[str, list[Any]]]


def plan_context(
    request: HttpRequest, campaign: Campaign, form: PlanForm, refusal: Refused | None
) -> dict[str, Any]:
    """Everything the live parts of the page speak of; a bounded number of queries whatever the audience."""
    at, staff = timezone.now(), access_of(request).staff
    stands = standing(campaign, staff)
    seen = print_of(campaign)
    campaign.wording = drafting.wording_of(campaign)  # for looking at only; nothing saves this object
    audience = Audience.from_json(campaign.audience)
    members = audience.members(campaign.store, at=at)
    samples = samples_of(campaign, members)
    reader = next((one for one in samples if one.key == request.POST.get("reader")), samples[0])
    total, is_more = capped_count(members)
    errors = _errors(campaign, form, refusal)
    fields = _fields(campaign, form, errors)
    context = {
        "campaign": campaign,
        "form": form,
        "seen": seen,
        "fields": fields,
        "texts": [fields[name] for name in TEXT_FIELDS],
        "review_said": dict(errors)["review"],
        "who": {
            "words": audience.in_words(money_text),
            "total": total,
            "is_more": is_more,
            "names": [str(member) for member in members.order_by("-id")[:NAMES_SHOWN]],
        },
        "samples": samples,
        "reader": reader,
        "preview": preview(campaign, reader.member or made_up(campaign), at),
        "standing": stands,
        "next_at": next_run_at(campaign, at),
        "timing": timing_words(campaign),
        **hours_context(campaign, at),
    }
    return context | {"steps": _steps(campaign, errors, total, stands.stage)}


def _errors(campaign: Campaign, form: PlanForm, refusal: Refused | None) -> Errors:
    """(slot, what is wrong there) for every field, and for the review."""
    found: dict[str, list[Any]] = {name: list(form.errors.get(name, [])) for name in (*form.fields, "review")}
    problems = text_problems(campaign)
    for name, language in TEXT_FIELDS.items():
        if language in problems:
            found[name].append(problems[language])
    if refusal and not _is_said(refusal, found):
        found.setdefault(slot_of(refusal), []).append(refusal.message)
    return list(found.items())


def _fields(campaign: Campaign, form: PlanForm, errors: Errors) -> dict[str, dict[str, Any]]:
    """Each input with what is wrong there; a text also with what the linter reads in it."""
    reviews = {review.language: review for review in reviews_of(campaign)}
    return {
        name: {
            "name": name,
            "field": form[name],
            "said": said,
            "language": TEXT_FIELDS.get(name, ""),
            "review": reviews.get(TEXT_FIELDS.get(name, "")),
        }
        for name, said in errors
        if name in form.fields
    }


def _is_said(refusal: Refused, found: dict[str, list[Any]]) -> bool:
    return any(str(refusal.message) == str(said) for said_there in found.values() for said in said_there)


def _steps(campaign: Campaign, errors: Errors, total: int, stage: Stage) -> list[Any]:
    wrong = {name for name, said in errors if said}
    is_timed = campaign.timing == Timing.NOW or bool(campaign.at_time)
    done = {
        "purpose": bool(campaign.name) and "name" not in wrong,
        "who": total > 0,
        "what": stage != Stage.EMPTY and wrong.isdisjoint(TEXT_FIELDS),
        "when": is_timed and wrong.isdisjoint({"timing", "start_on", "end_on", "at_time"}),
        "review": stage == Stage.APPROVED,
    }
    labels = {
        "purpose": _("Purpose"),
        "who": _("Who"),
        "what": _("What"),
        "when": _("When"),
        "review": _("Review"),
    }
    current = next((name for name, is_done in done.items() if not is_done), "review")
    return [
        {"label": labels[name], "url": f"#{name}", "is_done": is_done, "is_current": name == current}
        for name, is_done in done.items()
    ]


def hours_context(campaign: Campaign, at: datetime) -> dict[str, Any]:
    """The permitted hours, the store's clock, and whether a text of this moment would wait."""
    return {
        "hours": permitted_hours(),
        "zone": zone_name(campaign.store),
        "at": at,
        "is_waiting": waits_until_hours(campaign.store, at),
    }


def known_tags(campaign: Campaign) -> list[str]:
    """Tags that members of this store have, at most a dozen."""
    from_members = (
        campaign.store.members.exclude(tags=[]).order_by("-id").values_list("tags", flat=True)[:500]
    )
    return sorted({tag for tags in from_members for tag in tags})[:12]
