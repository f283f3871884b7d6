"""A campus that answers by script, over real HTTP, for what a real one does only in trouble."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gpu_workers.client import CampusClient
from grader.api import Claim, GradingRequest

Answer = tuple[int, dict[str, object]] | None  # None: hang up without an answer
Script = Callable[[str, dict[str, object]], Answer]


class ScriptedCampus:
    """Answers each POST as its script says, and remembers what was asked."""

    def __init__(self) -> None:
        self.script: Script = lambda path, message: (200, {"version": 1})
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.connections = 0
        campus = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                campus.connections += 1
                super().setup()

            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = self.path.removeprefix("/api/workers/v1/")
                campus.asked.append((path, message))
                answer = campus.script(path, message)
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                content = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

            def finish(self) -> None:
                if not self.wfile.closed and self.connection.fileno() != -1:
                    super().finish()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def paths(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _ in self.asked]


@pytest.fixture
def campus() -> Iterator[ScriptedCampus]:
    scripted = ScriptedCampus()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()


@pytest.fixture
def client(campus: ScriptedCampus) -> Iterator[CampusClient]:
    found = CampusClient(campus.url, "a-token")
    yield found
    found.close()


@pytest.fixture
def claim() -> Claim:
    """A claim whose lease is short enough to lose in a test."""
    request = GradingRequest(
        attempt="12345678-1234-5678-1234-567812345678",
        lab="tiny",
        lab_hash="0" * 64,
        submission_sha256="1" * 64,
        seed="2" * 64,
        notebook="{}",
    )
    return Claim(request=request, lease_token="t" * 43, lease_seconds=2, heartbeat_seconds=1)
