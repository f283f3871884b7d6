"""Nobody, signed in or not, can have more stored of a request than the site would ever read."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application

from campus.body_limit import with_body_limit

pytestmark = pytest.mark.django_db(transaction=True)
KIB = 1024


async def answer_to(chunks: Sequence[bytes], *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """How the site, with a cap of 4 KiB, begins its answer to a visitor who sends this."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/accounts/login/",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), *headers],
    }
    site = ApplicationCommunicator(with_body_limit(get_asgi_application(), 4 * KIB), scope)
    async for message in _messages(chunks):
        await site.send_input(message)
    start = await site.receive_output(10)
    await site.send_input({"type": "http.disconnect"})
    await site.wait(10)
    assert isinstance(start, dict)
    return start


async def _messages(chunks: Sequence[bytes]) -> AsyncIterator[dict[str, Any]]:
    for number, chunk in enumerate(chunks, start=1):
        yield {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}


async def test_a_body_that_says_how_large_it_is_is_refused_unread() -> None:
    assert (await answer_to([], (b"content-length", b"999999999")))["status"] == 413


async def test_a_body_that_does_not_say_so_is_refused_once_it_is_too_large() -> None:
    endless = [b"x" * KIB] * 5 + [b""]
    start = await answer_to(endless, (b"transfer-encoding", b"chunked"))
    assert start["status"] == 413
    assert (b"connection", b"close") in start["headers"]


async def test_what_is_not_larger_is_read() -> None:
    assert (await answer_to([b"x" * KIB] * 4))["status"] == 403  # no CSRF token


def test_the_site_that_runs_has_the_cap() -> None:
    from campus.asgi import application

    assert application.__qualname__.startswith("with_body_limit")
