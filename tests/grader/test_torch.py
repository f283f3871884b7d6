"""Torch after a fork: what hangs elsewhere must answer here."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from grader.sandbox import open_sandbox
from labs.catalog import read_lab
from tests.grader.grading_desk import TINY, Desk

pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(scope="module")
def torch_desk() -> Iterator[Desk]:
    sandbox = open_sandbox(("torch",))
    lab = read_lab(TINY)
    roomy = lab.limits.model_copy(
        update={"memory_mib": 512, "notebook_wall_seconds": 60.0, "check_wall_seconds": 30.0}
    )
    yield Desk(sandbox, replace(lab, zygote="torch", limits=roomy))
    sandbox.close()


@pytest.mark.parametrize(
    "cell",
    [
        "import torch\na = torch.randn(400, 400)\n(a @ a).sum().item()",
        "import torch\ntorch.set_num_threads(4)\na = torch.randn(400, 400)\n(a @ a).sum().item()",
        "import torch\na = torch.randn(9, 9, requires_grad=True)\n(a @ a).sum().backward()",
        "import torch\nfrom torch.utils.data import DataLoader\nfor b in DataLoader(list(range(8)), 2, num_workers=2): pass",
        "import torch\nimport torch.distributed as dist\n"
        "from torch.testing._internal.distributed.fake_pg import FakeStore\n"
        "dist.init_process_group('fake', store=FakeStore(), rank=0, world_size=2)",
        "import torch\nstate = torch.optim.Adam([torch.zeros(3, requires_grad=True)])",
    ],
    ids=["matmul", "set_num_threads", "autograd", "DataLoader", "process group", "optimizer"],
)
def test_a_check_answers_after_the_notebook_used_torch(torch_desk: Desk, cell: str) -> None:
    use = "    t = torch.from_numpy(x)\n    w = (t @ t.T).sum().item()\n    return (2 * t).numpy()"
    report = torch_desk.grade(double=f"{cell}\ndef double(x):\n{use}")
    assert report.score == 10, [found.message for found in report.results]


def test_a_tensor_is_no_array(torch_desk: Desk) -> None:
    report = torch_desk.grade(
        double="import torch\ndef double(x):\n    return torch.from_numpy(2 * x)"
    )
    assert report.score == 3
    assert "tensor" in report.results[0].message or "Tensor" in report.results[0].message


def test_a_torch_lab_finds_no_package_that_only_the_site_uses() -> None:
    """Forbidden by absence: the zygote's environment has torch, numpy, triton and what they need."""
    import subprocess

    from grader.sandbox.kinds import python_of

    for name in ("django", "celery", "nbgrader", "tokenizers", "transformers", "scipy", "pip"):
        done = subprocess.run(
            [str(python_of("torch")), "-c", f"import {name}"], capture_output=True, check=False
        )
        assert done.returncode != 0, name
    assert (
        subprocess.run(
            [str(python_of("torch")), "-c", "import torch, triton, IPython"], check=False
        ).returncode
        == 0
    )
