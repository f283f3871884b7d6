"""A cap on what anybody may send, before anything of it is kept.

Django writes the whole body of a request to a temporary file before any of its own limits apply, and
before it asks who is sending: without a cap whoever reaches the site could fill its disk.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Above every limit that has a sentence of its own, so that these are what people read.
MOST_BYTES = 32 * 1024 * 1024
SENTENCE = b"This is larger than anything that this site reads. Nothing was stored.\n"


class _TooLargeError(Exception):
    """The body went past the cap while it was read."""


def with_body_limit(application: Application, most_bytes: int = MOST_BYTES) -> Application:
    """The application, in front of which a larger body is refused with 413 and never stored whole."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        if _declared(scope["headers"]) > most_bytes:
            await _refuse(send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > most_bytes:
                    raise _TooLargeError
            return message

        try:
            await application(scope, counted, send)
        except _TooLargeError:  # the body is read before anything is answered
            await _refuse(send)

    return limited


def _declared(headers: Iterable[tuple[bytes, bytes]]) -> int:
    lengths = [value for name, value in headers if name == b"content-length"]
    return max((int(length) for length in lengths if length.isdigit()), default=0)


async def _refuse(send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 413,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(SENTENCE)).encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"connection", b"close"),  # the rest of the body is not waited for
            ],
        }
    )
    await send({"type": "http.response.body", "body": SENTENCE})
