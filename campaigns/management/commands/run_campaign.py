"""`manage.py run_campaign NAME`: start a run of a campaign now, or look at whom it would text."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns.domain import launching, runs
from campaigns.domain.audiences import Audience
from campaigns.domain.wakeup import assess_store
from campaigns.enums import CampaignKind, CampaignStatus
from campaigns.models import Campaign, Run
from messaging.domain.budgets import OverBudget


class Command(BaseCommand):
    help = "Start a run of a campaign now; --as-of judges the audience and the score by an earlier day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the campaign's name")
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="judge by the end of this day, YYYY-MM-DD"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say who is due, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.select_related("store").filter(name=options["name"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign called “{options['name']}”.")
        now = timezone.now()
        as_of = _end_of(options["as_of"], campaign) if options["as_of"] else now
        if options["dry_run"]:
            self._say_who(campaign, as_of)
            return
        if campaign.status != CampaignStatus.ACTIVE:
            raise CommandError(
                "Launch the campaign first: its text must be approved and somebody must stand for it."
            )
        window = f"as-of-{options['as_of']}" if options["as_of"] else f"by-hand-{now:%Y-%m-%d-%H%M}"
        try:
            run = launching.start_by_itself(campaign=campaign, window=window, at=now, as_of=as_of)
        except OverBudget as short:
            raise CommandError(str(short.message)) from short
        if run is None:
            raise CommandError("This campaign already had its run for that day.")
        self._send(run, now)

    def _send(self, run: Run, now: datetime) -> None:
        counts = runs.freeze(run_id=run.pk)
        for chunk in run.chunks.order_by("number"):
            runs.expand(run_id=run.pk, chunk=chunk.number, at=now)
        progress = runs.progress(Run.objects.get(pk=run.pk))
        self.stdout.write(f"recipients {counts['recipients']}")
        for state, total in sorted(progress.by_state.items()):
            self.stdout.write(f"  {state} {total}")
        for reason, total in sorted(progress.left_out.items()):
            self.stdout.write(f"  left out: {reason} {total}")

    def _say_who(self, campaign: Campaign, as_of: datetime) -> None:
        members = Audience.from_json(campaign.audience).members(campaign.store, at=as_of)
        self.stdout.write(f"audience {members.count()}")
        if campaign.kind == CampaignKind.WAKEUP:
            assessment = assess_store(campaign.store, as_of=as_of)
            due = int(assessment.wake.is_due.sum()) if assessment else 0
            known = len(assessment.member_ids) if assessment else 0
            self.stdout.write(f"members with a visit {known}, due for a wake-up {due}")


def _end_of(day: date, campaign: Campaign) -> datetime:
    return datetime.combine(day, time.max, campaign.store.zone)
