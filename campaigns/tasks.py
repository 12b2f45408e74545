"""Celery's jobs for campaigns: ids in, one domain call, a dict of counts out. Safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from campaigns.domain import handouts, launching, runs
from campaigns.models import Run


@shared_task
def tick() -> dict[str, int]:
    """Start the runs that are due. Beat calls this each minute; the run rows keep it to once."""
    started = launching.tick(at=timezone.now())
    for run_id in started:
        freeze_run.delay(run_id)
    return {"started": len(started)}


@shared_task
def freeze_run(run_id: int) -> dict[str, int]:
    """Freeze a run's recipients and hand out its chunks."""
    counts = runs.freeze(run_id=run_id)
    for number in range(Run.objects.values_list("chunks_total", flat=True).get(pk=run_id)):
        expand_chunk.delay(run_id, number)
    return counts


@shared_task
def expand_chunk(run_id: int, chunk: int) -> dict[str, int]:
    """Turn one chunk of a run into messages."""
    return runs.expand(run_id=run_id, chunk=chunk, at=timezone.now())


@shared_task
def sweep_runs() -> dict[str, int]:
    """Hand out again what a lost job left lying; cancel what a stopped run still has waiting."""
    now = timezone.now()
    cancelled = runs.cancel_returned(at=now)
    late_runs = runs.unfrozen(at=now)
    late_chunks = list(runs.unexpanded(at=now))
    for run_id in late_runs:
        freeze_run.delay(run_id)
    for run_id, chunk in late_chunks:
        expand_chunk.delay(run_id, chunk)
    return {"runs": len(late_runs), "chunks": len(late_chunks), "cancelled": cancelled}


@shared_task
def hand_out_coupons(handout_id: int) -> dict[str, int]:
    """A share of one hand-out of coupons, or of taking one back; the rest is another job's."""
    has_more = handouts.work(handout_id=handout_id, at=timezone.now())
    if has_more:
        hand_out_coupons.delay(handout_id)
    return {"has_more": int(has_more)}


@shared_task
def sweep_handouts() -> dict[str, int]:
    """Go on with hand-outs that a lost job left lying."""
    waiting = handouts.under_way()
    for handout_id in waiting:
        hand_out_coupons.delay(handout_id)
    return {"handouts": len(waiting)}
