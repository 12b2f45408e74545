"""A task that keeps a cancellation to itself still ends."""

import asyncio

from messaging.gateways import ending


async def deaf(times: int) -> str:
    """Goes on after so many cancellations, as `asyncio.wait_for` may when its answer comes in the same instant."""
    while times:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            times -= 1
    await asyncio.sleep(60)
    return "not reached"


async def broken() -> None:
    await asyncio.sleep(0)
    raise ValueError("fell over")


def test_every_task_is_over_afterwards(monkeypatch):
    monkeypatch.setattr(ending, "ASK_AGAIN_SECONDS", 0.01)

    async def story():
        tasks = [asyncio.create_task(work) for work in (deaf(0), deaf(1), deaf(3), broken())]
        await asyncio.sleep(0.01)
        await asyncio.wait_for(ending.end(tasks), 5)
        return tasks

    *deaf_ones, fallen = asyncio.run(story())

    assert [task.cancelled() for task in deaf_ones] == [True, True, True]
    assert str(fallen.exception()) == "fell over"


def test_nothing_to_end_is_fine():
    asyncio.run(ending.end([]))
