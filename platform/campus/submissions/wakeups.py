"""Tell whoever watches an attempt that something in its rows has changed.

A wake-up carries nothing but the attempt's id; the watcher reads the rows. So a lost wake-up costs one
poll interval, and any web process can serve any watcher. All watchers of one event loop share one
Redis connection; while it is down they poll.
"""

import asyncio
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from uuid import UUID

import redis
import redis.asyncio
import structlog
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

log = structlog.get_logger()

CHANNELS = "gradus:attempt:"
REST_SECONDS = 2.0  # after a failure, so that a broker that is down delays nobody twice

_resting_until = 0.0


def wake_watchers(attempt: UUID) -> None:
    """Wake them once the current transaction is through; never an error."""
    transaction.on_commit(lambda: _publish(attempt), robust=True)


def _publish(attempt: UUID) -> None:
    global _resting_until  # noqa: PLW0603
    if time.monotonic() < _resting_until:
        return
    try:
        _client(settings.REDIS_URL).publish(f"{CHANNELS}{attempt}", b"")
    except (RedisError, OSError) as error:
        _resting_until = time.monotonic() + REST_SECONDS
        log.warning("wakeup_not_sent", attempt=str(attempt), error=str(error))


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=0.25, socket_timeout=0.25)


class Switchboard:
    """One subscription to all attempts, shared by every watcher of an event loop."""

    def __init__(self) -> None:
        self.connected = False
        self._trouble = ""  # logged when it changes, not every two seconds
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def bell(self, attempt: UUID) -> AsyncIterator[asyncio.Event]:
        """An event that is set at each wake-up of the attempt; the last to leave hangs up."""
        bell = asyncio.Event()
        self._bells.setdefault(str(attempt), set()).add(bell)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        try:
            yield bell
        finally:
            bells = self._bells[str(attempt)]
            bells.discard(bell)
            if not bells:
                del self._bells[str(attempt)]
            if not self._bells and self._listener is not None:
                self._listener.cancel()
                self._listener = None

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (RedisError, OSError) as error:
                if self._trouble != str(error):
                    self._trouble = str(error)
                    log.warning("wakeups_unavailable", error=self._trouble)
            finally:
                self.connected = False
            await asyncio.sleep(REST_SECONDS)

    async def _listen_once(self) -> None:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=1, health_check_interval=15
        )
        try:
            async with client.pubsub() as subscription:
                await subscription.psubscribe(f"{CHANNELS}*")
                self.connected, self._trouble = True, ""
                self._ring(*self._bells)  # what happened while nobody listened
                while True:
                    message = await subscription.get_message(
                        ignore_subscribe_messages=True, timeout=10
                    )
                    if message is not None:
                        self._ring(message["channel"].decode().removeprefix(CHANNELS))
        finally:
            with suppress(RedisError, OSError):
                await client.aclose()

    def _ring(self, *attempts: str) -> None:
        for attempt in attempts:
            for bell in self._bells.get(attempt, ()):
                bell.set()


_switchboards: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Switchboard]" = (
    weakref.WeakKeyDictionary()
)


def switchboard() -> Switchboard:
    """The running event loop's own."""
    return _switchboards.setdefault(asyncio.get_running_loop(), Switchboard())
