"""How a worker behaves when campus is slow, gone, or says no."""

import threading
import time
from decimal import Decimal

import pytest

from gpu_workers import client as clients
from gpu_workers.client import CampusClient, CampusError, LeaseLostError, RefusedError
from gpu_workers.heartbeat import HeartbeatThread
from gpu_workers.sender import ResultSender
from grader.api import CheckResult, Claim, ClaimRequest, GradingReport, Verdict
from tests.gpu_workers.conftest import Answer, ScriptedCampus

GONE = (409, {"code": "lease_lost", "detail": "Drop it."})
FACTS = {"name": "host/0", "boot": "b" * 32, "wall": "local"}


def result(name: str) -> CheckResult:
    return CheckResult(
        check=name,
        exercise="E1",
        title="It works.",
        verdict=Verdict.PASSED,
        points=Decimal(1),
        max_points=Decimal(1),
    )


def report(claim: Claim) -> GradingReport:
    request = claim.request
    return GradingReport(
        attempt=request.attempt,
        lab=request.lab,
        lab_hash=request.lab_hash,
        submission_sha256=request.submission_sha256,
    )


def answers(*script: Answer):
    """One after the other; the last one for ever."""
    left = list(script)
    return lambda path, message: left.pop(0) if len(left) > 1 else left[0]


# --- the client


def test_a_report_is_sent_until_campus_is_back(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers((503, {}), None, (200, {"version": 1}))
    client.finish(claim, report(claim), patience=5)
    assert campus.paths() == ["finish"] * 3
    assert campus.asked[0] == campus.asked[2]


def test_patience_has_an_end(campus: ScriptedCampus, client: CampusClient, claim: Claim) -> None:
    campus.script = answers((503, {}))
    with pytest.raises(CampusError, match="503"):
        client.finish(claim, report(claim), patience=0.5)


def test_a_claim_is_never_repeated(campus: ScriptedCampus, client: CampusClient) -> None:
    campus.script = answers(None)
    with pytest.raises(CampusError):
        client.claim(ClaimRequest(**FACTS))
    assert campus.paths() == ["claim"]


def test_a_lost_lease_is_told_apart_from_other_refusals(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers(GONE)
    with pytest.raises(LeaseLostError):
        client.heartbeat(claim)
    campus.script = answers((422, {"code": "report_refused", "detail": "No result for x."}))
    with pytest.raises(RefusedError, match="No result for x") as refused:
        client.finish(claim, report(claim), patience=5)
    assert refused.value.code == "report_refused"
    assert len(campus.asked) == 2  # a no is not asked again


def test_nobody_listening_is_an_error_of_campus(claim: Claim) -> None:
    with pytest.raises(CampusError, match="ConnectError"):
        CampusClient("http://127.0.0.1:9", "token").heartbeat(claim)


def test_calls_share_one_connection(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    for _ in range(5):
        client.results(claim, [result("a")], patience=0)
    assert campus.connections == 1


# --- the heartbeat


def stopped_within(campus_time: float, client: CampusClient, claim: Claim) -> bool:
    cancelled = threading.Event()
    with HeartbeatThread(client, claim, cancelled):
        return cancelled.wait(campus_time)


def test_heartbeats_come_in_time(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers((200, {"version": 1, "decision": "continue"}))
    assert not stopped_within(2.5, client, claim)
    assert campus.paths() == ["heartbeat"] * 2


def test_grading_stops_when_campus_says_cancel(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers((200, {"version": 1, "decision": "cancel"}))
    assert stopped_within(2, client, claim)


def test_grading_stops_when_the_lease_is_lost(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers(GONE)
    assert stopped_within(2, client, claim)


def test_short_trouble_with_campus_stops_nothing(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers((503, {}), (200, {"version": 1, "decision": "continue"}))
    assert not stopped_within(2.6, client, claim)


def test_grading_stops_when_campus_is_silent_for_longer_than_the_lease(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers((503, {}))
    assert stopped_within(6, client, claim)


# --- the sender


def test_what_piles_up_goes_together_and_nobody_waits(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    released = threading.Event()

    def slowly(path: str, message: dict[str, object]) -> Answer:
        released.wait(5)
        return 200, {"version": 1}

    campus.script = slowly
    sender = ResultSender(client, claim, threading.Event())
    began = time.perf_counter()
    sender.put(result("first"))
    time.sleep(0.2)
    for number in range(20):
        sender.put(result(f"check_{number}"))
    assert time.perf_counter() - began < 0.5
    released.set()
    time.sleep(0.5)
    sender.close()
    batches = [[r["check"] for r in message["results"]] for _, message in campus.asked]
    assert batches == [["first"], [f"check_{n}" for n in range(20)]]


def test_what_was_not_sent_is_left_to_the_report(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    def slowly(path: str, message: dict[str, object]) -> Answer:
        time.sleep(0.3)
        return 200, {"version": 1}

    campus.script = slowly
    sender = ResultSender(client, claim, threading.Event())
    sender.put(result("first"))
    time.sleep(0.1)
    sender.put(result("second"))
    sender.close()
    assert len(campus.asked) == 1  # the call in flight was waited for, and none followed


def test_the_sender_stops_the_grading_when_the_lease_is_lost(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers(GONE)
    cancelled = threading.Event()
    sender = ResultSender(client, claim, cancelled)
    sender.put(result("first"))
    assert cancelled.wait(2)
    sender.close()


def test_trouble_while_sending_verdicts_stops_nothing(
    campus: ScriptedCampus, client: CampusClient, claim: Claim
) -> None:
    campus.script = answers((503, {}), (200, {"version": 1}))
    cancelled = threading.Event()
    sender = ResultSender(client, claim, cancelled)
    sender.put(result("first"))
    time.sleep(0.3)
    sender.put(result("second"))
    time.sleep(0.3)
    sender.close()
    assert not cancelled.is_set()
    assert len(campus.asked) == 2


def test_an_idle_connection_is_given_up_before_any_server_would() -> None:
    assert clients.LIMITS.keepalive_expiry is not None
    assert clients.LIMITS.keepalive_expiry < 5  # uvicorn's default
