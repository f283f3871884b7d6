"""The live view of an attempt: server-sent events that hold neither thread nor connection while waiting."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar
from uuid import UUID

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from campus.submissions.access import submission_or_404
from campus.submissions.live import EventWriter, Snapshot, read_snapshot
from campus.submissions.wakeups import switchboard

STREAM_SECONDS = 15 * 60  # then the browser connects again, and is authorised again
SILENCE_SECONDS = 15.0  # a comment keeps proxies from hanging up
POLL_SECONDS = 0.4  # without Redis
SAFETY_POLL_SECONDS = 5.0  # with Redis: a lost wake-up, a new place in the queue

T = TypeVar("T")


@require_GET
async def events(request: HttpRequest, slug: str, submission_id: UUID) -> StreamingHttpResponse:
    """What happens to the submission's newest attempt, continued after `Last-Event-ID`."""

    def authorise() -> tuple[UUID, bool]:
        submission, visitor = submission_or_404(request, slug, submission_id)
        attempt = submission.attempts.order_by("-number").values_list("pk", flat=True)[:1].get()
        return attempt, visitor.is_staff

    attempt, staff = await sync_to_async(_disconnecting(authorise))()
    last = request.headers.get("Last-Event-ID", "") or request.GET.get("last_event_id", "")
    return StreamingHttpResponse(
        _stream(attempt, staff=staff, last_event_id=int(last) if _is_id(last) else 0),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


async def _stream(attempt: UUID, *, staff: bool, last_event_id: int) -> AsyncIterator[str]:
    _release_thread()
    writer = EventWriter(last_event_id)
    ends = time.monotonic() + STREAM_SECONDS
    yield "retry: 1000\n\n"
    async with switchboard().bell(attempt) as bell:
        spoke = time.monotonic()
        while time.monotonic() < ends:
            bell.clear()
            snapshot = await _read(attempt, staff, writer.after_key)
            for event in writer.events(snapshot):
                yield event
                spoke = time.monotonic()
            if snapshot.ended:
                return
            if time.monotonic() - spoke > SILENCE_SECONDS:
                yield ": still here\n\n"
                spoke = time.monotonic()
            pause = SAFETY_POLL_SECONDS if switchboard().connected else POLL_SECONDS
            try:
                await asyncio.wait_for(bell.wait(), pause)
            except TimeoutError:
                continue


async def _read(attempt: UUID, staff: bool, after_key: int) -> Snapshot:
    def read() -> Snapshot:
        return read_snapshot(attempt, staff=staff, now=timezone.now(), after_key=after_key)

    return await sync_to_async(_disconnecting(read), thread_sensitive=False)()


def _disconnecting(read: Callable[[], T]) -> Callable[[], T]:
    """`read`, with the database connection of its thread given back afterwards."""

    def disconnected() -> T:
        try:
            return read()
        finally:
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close()

    return disconnected


def _release_thread() -> None:
    """End the thread that Django keeps for the synchronous parts of this request.

    It would sleep for as long as the stream is open; it is made anew when the response is closed.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context else None
    if executor is not None:
        executor.shutdown(wait=False)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
