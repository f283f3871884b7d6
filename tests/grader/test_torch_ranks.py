"""Ranks and services of torch labs, processes inside one jail, and our own code that does not come back."""

from pathlib import Path

import pytest

from grader.errors import LabError
from grader.protocol import Verdict
from grader.runner import grade
from grader.sandbox.base import Sandbox
from tests.grader.grading_desk import result
from tests.grader.made_lab import SIMPLE, desk, one

FOREVER = "(lambda f: f(f))(lambda f: [None for _ in iter(int, 1)])"

OVERLAP = '''import torch
from grader.checks import check, per_rank


def overlaps(inputs, outputs, network):
    for rank in range(network.world):
        if network.count("all_reduce", rank) != 3:
            return "one reduction for each layer, and one of the half"
        first = network.of(rank, "all_reduce")[0].order
        if not first < network.marked(rank, "end of backward"):
            return "no reduction began before the backward pass had ended"
    return None


@check(exercise="E1", points=10, trials=2, ranks=2, verify=overlaps, compare=True, hint="hooks",
       inputs=lambda rng: {"x": per_rank(torch.from_numpy(rng.standard_normal((3, 4))) for _ in range(2)),
                           "half": torch.ones(3, dtype=torch.bfloat16)})
def asked(lab, comm, x, half):
    """Gradients are averaged while the backward pass goes on."""
    torch.manual_seed(0)
    layers = [torch.nn.Linear(4, 4, bias=False).double() for _ in range(2)]
    grads = lab.one(layers, x, comm)
    return {"grads": grads, "half": comm.all_reduce(half), "first": comm.broadcast(x, root=1)}
'''
HOOKS = """    works = {}
    for layer in layers:
        layer.weight.register_post_accumulate_grad_hook(
            lambda p, key=id(layer): works.update({key: comm.all_reduce(p.grad, "avg", async_op=True)}))
    h = x
    for layer in layers:
        h = torch.tanh(layer(h))
    h.sum().backward()
    comm.mark("end of backward")
    return [works[id(layer)].wait() for layer in layers]"""
BLOCKING = HOOKS.replace(
    """    works = {}
    for layer in layers:
        layer.weight.register_post_accumulate_grad_hook(
            lambda p, key=id(layer): works.update({key: comm.all_reduce(p.grad, "avg", async_op=True)}))
""",
    "",
).replace(
    "[works[id(layer)].wait() for layer in layers]",
    '[comm.all_reduce(layer.weight.grad, "avg") for layer in layers]',
)


def test_a_torch_lab_proves_that_communication_overlaps_with_the_backward_pass(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    ranks = desk(sandbox, tmp_path, OVERLAP, HOOKS, "layers, x, comm", torch=True)
    report = ranks.grade()
    assert report.score == 10, report.results
    blocking = result(ranks.grade(one=one(BLOCKING, "layers, x, comm")), "asked")
    assert blocking.verdict is Verdict.FAILED
    assert blocking.message == "no reduction began before the backward pass had ended"
    not_averaged = one(HOOKS.replace('"avg"', '"sum"'), "layers, x, comm")
    assert result(ranks.grade(one=not_averaged), "asked").message.startswith("rank 0: ")


def test_processes_within_one_jail_work_and_a_hang_of_theirs_is_a_verdict(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    body = """    import multiprocessing as mp
    context = mp.get_context("fork")
    queue = context.SimpleQueue()
    for rank in range(2):
        context.Process(target=lambda: queue.put(HANG or 1.5)).start()
    return [queue.get() + queue.get()]"""
    checks = SIMPLE.format(x="1.0", more=", limits={'check_wall_seconds': 3}")
    jail = desk(sandbox, tmp_path, checks, "    return [3.0]")
    assert jail.grade(one=one(body.replace("HANG or ", ""), "x")).score == 10
    hanging = one(body.replace("HANG or 1.5", "[None for _ in iter(int, 1)]"), "x")
    assert result(jail.grade(one=hanging), "asked").verdict is Verdict.TIMED_OUT


@pytest.mark.parametrize("what", ["inputs", "verify", "reference"])
def test_our_own_code_that_does_not_come_back_holds_no_worker(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr("grader.referee.OURS_SECONDS", 0.3)
    monkeypatch.setattr("grader.referee.REFERENCE_SECONDS", 0.3)
    checks = SIMPLE.format(
        x=FOREVER if what == "inputs" else "1.0",
        more=f", verify=lambda inputs, outputs: {FOREVER}" if what == "verify" else "",
    )
    body = "    while True:\n        pass" if what == "reference" else "    return x"
    slow = desk(sandbox, tmp_path, checks, body)
    request = slow.request(one="def one(x):\n    return x")
    with pytest.raises(LabError, match=f"asked: .*{what} took longer than 0.3 s; mend it"):
        grade(request, sandbox=sandbox, lab=slow.lab)


def test_an_answer_that_makes_verify_slow_is_wrong(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.referee.OURS_SECONDS", 0.3)
    more = f", verify=lambda inputs, outputs: outputs == 2.0 and {FOREVER} or None"
    lab = desk(sandbox, tmp_path, SIMPLE.format(x="1.0", more=more), "    return x")
    assert lab.grade().score == 10
    found = result(lab.grade(one="def one(x):\n    return 2 * x"), "asked")
    assert found.verdict is Verdict.FAILED
    assert "takes too long to verify" in found.message
