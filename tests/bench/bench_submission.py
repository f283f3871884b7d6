"""From the click to the last verdict: `python -m tests.bench.bench_submission`.

The whole site runs as `make run` starts it. A signed-in client submits the reference's answers over HTTP
and listens to the server-sent events, as the page does. The floor is the grading alone: the same request
through `grader.grade` in this process. The goal is a median of 0.5 s on an idle 4-core machine.
"""

import json
import os
import statistics
import time
import uuid

import httpx

from grader.notebook import reference_answers
from grader.protocol import GradingRequest
from grader.runner import grade
from grader.sandbox import open_sandbox
from labs.catalog import get_lab, student_notebook
from tests.running_site import Site, running_site

ROUNDS = 20
LAB = "autodiff"
COURSE = "/courses/comp4901y-2025"
GOAL_SECONDS = 0.5


def signed_in(site: Site) -> httpx.Client:
    client = httpx.Client(base_url=site.url, timeout=60, follow_redirects=True)
    client.get("/accounts/login/")
    answer = client.post(
        "/accounts/login/",
        data={
            "login": "student",
            "password": site.passwords["student"],
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        },
    )
    answer.raise_for_status()
    return client


def one_submission(client: httpx.Client, answers: dict[str, str]) -> dict[str, float]:
    """Seconds from the click to the receipt, the first verdict and the end of the stream."""
    began = time.perf_counter()
    answer = client.post(
        f"{COURSE}/labs/{LAB}/submit/",
        json={"answers": answers, "idempotency_key": uuid.uuid4().hex},
        headers={"X-CSRFToken": client.cookies["csrftoken"]},
    )
    answer.raise_for_status()
    times = {"receipt": time.perf_counter() - began}
    with client.stream("GET", answer.json()["events_url"]) as stream:
        event = ""
        for line in stream.iter_lines():
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
            if line.startswith("data:"):
                if event == "result":
                    times.setdefault("first verdict", time.perf_counter() - began)
                if event == "score":
                    score = json.loads(line.removeprefix("data:"))
                    assert float(score["score"]) == float(score["max_score"]), score
                if event == "end":
                    break
    return times | {"last verdict": time.perf_counter() - began}


def grading_alone() -> list[float]:
    lab = get_lab(LAB)
    request = GradingRequest(
        attempt="bench",
        lab=LAB,
        lab_hash=lab.content_hash,
        submission_sha256="0" * 64,
        seed="1" * 64,
        notebook=student_notebook(lab, reference_answers(lab)).decode(),
    )
    sandbox = open_sandbox((lab.zygote,))
    try:
        return [grade(request, sandbox=sandbox).seconds for _ in range(ROUNDS + 2)][2:]
    finally:
        sandbox.close()


def main() -> int:
    answers = reference_answers(get_lab(LAB))
    floor = statistics.median(grading_alone())
    with running_site() as site:
        client = signed_in(site)
        for _ in range(3):
            one_submission(client, answers)
        rounds = []
        for _ in range(ROUNDS):
            rounds.append(one_submission(client, answers))
            time.sleep(0.2)
    checks = len(get_lab(LAB).checks)
    print(f"{LAB}: {checks} checks, {ROUNDS} submissions, {os.cpu_count()} cores, one at a time")
    print(f"  {'grading alone (floor)':24} p50 {floor * 1000:6.0f} ms")
    for name in ("receipt", "first verdict", "last verdict"):
        seconds = sorted(times[name] for times in rounds)
        p50, p95 = statistics.median(seconds), seconds[int(0.95 * (len(seconds) - 1))]
        print(f"  {'click to ' + name:24} p50 {p50 * 1000:6.0f} ms   p95 {p95 * 1000:6.0f} ms")
    median = statistics.median(times["last verdict"] for times in rounds)
    print(f"  ratio to the floor {median / floor:.2f}; goal {GOAL_SECONDS * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
