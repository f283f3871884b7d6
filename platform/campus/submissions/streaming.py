"""The live view of an attempt: server-sent events that hold neither thread nor connection while waiting."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar
from uuid import UUID

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from campus.submissions.access import submission_or_404
from campus.submissions.live import EventWriter, Snapshot, read_snapshot
from campus.submissions.wakeups import switchboard

STREAM_SECONDS = 15 * 60  # then the browser connects again, and is authorised again
SILENCE_SECONDS = 15.0  # a comment keeps proxies from hanging up
POLL_SECONDS = 0.4  # without Redis
SAFETY_POLL_SECONDS = 5.0  # with Redis: a lost wake-up, a new place in the queue
# Each open stream reads now and then for a quarter of an hour, so nobody may open any number of them.
STREAMS_OF_ONE_PERSON = 40  # in one process; a page that is refused polls the status instead

T = TypeVar("T")
_open: Counter[int] = Counter()  # user's key → streams in this process


@require_GET
async def events(request: HttpRequest, slug: str, submission_id: UUID) -> HttpResponseBase:
    """What happens to the submission's newest attempt, continued after `Last-Event-ID`."""

    def authorise() -> tuple[UUID, bool, int]:
        submission, visitor = submission_or_404(request, slug, submission_id)
        attempt = submission.attempts.order_by("-number").values_list("pk", flat=True)[:1].get()
        return attempt, visitor.is_staff, visitor.user_id

    attempt, staff, user = await sync_to_async(_disconnecting(authorise))()
    if _open[user] >= STREAMS_OF_ONE_PERSON:
        return HttpResponse("Too many pages of yours are watching. Close some.", status=429)
    last = request.headers.get("Last-Event-ID", "") or request.GET.get("last_event_id", "")
    return StreamingHttpResponse(
        _counted(
            user, _stream(attempt, staff=staff, last_event_id=int(last) if _is_id(last) else 0)
        ),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


async def _counted(user: int, stream: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """The stream, while it counts as one of this person's; nothing if others began at the same instant."""
    async with aclosing(stream):
        if _open[user] >= STREAMS_OF_ONE_PERSON:
            return
        _open[user] += 1
        try:
            async for text in stream:
                yield text
        finally:
            _open[user] -= 1
            if not _open[user]:
                del _open[user]


async def _stream(attempt: UUID, *, staff: bool, last_event_id: int) -> AsyncGenerator[str, None]:
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
