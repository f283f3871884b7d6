"""The kinds of zygote: what each imports, in which environment, and what of the host its jails see."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import WallError

ROOT = Path(__file__).resolve().parents[2]

# All that a zygote's environment holds: a jail can read it in /proc/1/environ, as of exec.
ENVIRONMENT: Mapping[str, str] = {
    "OMP_THREAD_LIMIT": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "LANG": "C.UTF-8",
    "HOME": "/home/student",
    "MPLBACKEND": "Agg",
}
NUMPY = ("numpy", "numpy.linalg", "numpy.fft", "numpy.random")
TORCH = ("numpy", "torch", "torch.nn.functional", "torch.optim")
TRITON = ("triton?", "triton.language?")  # "?": imported where it is installed


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of zygote, as a lab's `zygote` names it.

    `modules` may end in "?", which means: where it is installed. `more` is added to the constant
    environment before anything is imported. Only jails of a kind with `gpu` see the GPU's devices.
    """

    name: str
    modules: tuple[str, ...]
    more: Mapping[str, str] = field(default_factory=dict)
    gpu: bool = False
    bare: bool = False  # without any wall; see unsafe.py

    @property
    def environment(self) -> dict[str, str]:
        return {**ENVIRONMENT, **self.more}

    @property
    def arguments(self) -> list[str]:
        """What follows the control descriptor and labkit on the zygote's command line."""
        options = [word for word, meant in (("@gpu", self.gpu), ("@bare", self.bare)) if meant]
        return [*options, *self.modules]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("numpy", NUMPY),
        # Triton reads this when it is imported: kernels then run in its interpreter, on the processor.
        Kind("torch", (*TORCH, *TRITON), {"TRITON_INTERPRET": "1"}),
        Kind("torch-gpu", (*TORCH, *TRITON), gpu=True),
    )
}


def kind_of(name: str) -> Kind:
    """Raises:
    WallError: there is no such kind.
    """
    if name not in KINDS:
        raise WallError(f"no zygote is called {name}; there are {', '.join(KINDS)}")
    return KINDS[name]


def python_of(zygote: str) -> Path:
    """The interpreter of a zygote's environment.

    Raises:
        WallError: it was not made yet; the message names the command that makes it.
    """
    variable = f"GRADUS_ZYGOTE_{zygote.upper().replace('-', '_')}_PYTHON"
    if setting := os.environ.get(variable):
        if not Path(setting).exists():
            raise WallError(f"{variable} names {setting}, which is missing; correct or unset it")
        return Path(setting)
    environment = "numpy" if zygote == "numpy" else "torch"
    python = ROOT / ".zygotes" / environment / "bin" / "python"
    if not python.exists():
        raise WallError(f"{python} is missing; `make run` and `make test` create it")
    return python


def gpu_devices() -> list[Path]:
    """The GPUs of this host, without asking CUDA, which would not survive a fork."""
    return sorted(path for path in Path("/dev").glob("nvidia*") if path.name[6:].isdigit())


def require_gpu() -> None:
    """Raises:
    WallError: this host has no GPU that a jail could be given.
    """
    if not gpu_devices():
        raise WallError(
            "this lab is graded on a GPU (zygote torch-gpu), and this host has none (no /dev/nvidia0): grade it "
            "on a host that has one, install NVIDIA's driver, or start the worker without the capability gpu "
            "(GRADUS_WORKER_CAPABILITIES)"
        )
