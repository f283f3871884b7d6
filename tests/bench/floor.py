"""The floor: the student's cells alone in a plain fork of the same warm Python. No walls, no checks."""

import json
import os
import subprocess

from grader.sandbox.kinds import ROOT, kind_of, python_of

SCRIPT = """
import importlib, importlib.util, json, os, sys, time
root, labkit, modules, cells = sys.argv[1], sys.argv[2], sys.argv[3].split(), json.load(sys.stdin)
sys.path.insert(0, root)
from grader.inside import forks
forks.install()
from grader.inside import kernel, pages
for module in modules:
    name = module.rstrip("?")
    if name == module or importlib.util.find_spec(name.partition(".")[0]) is not None:
        importlib.import_module(name)
sys.path.append(os.path.dirname(labkit))
import labkit
labkit.use_runner(lambda name: None)
shell = kernel.make_shell()
pages.join_pages()
while os.read(int(sys.argv[4]), 1):
    began = time.perf_counter()
    pid = forks.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        kernel.seed_everything()
        for cell_id, source in cells:
            kernel.run_cell(shell, cell_id, source)
        os._exit(0)
    os.waitpid(pid, 0)
    print(time.perf_counter() - began, flush=True)
"""


class Floor:
    """A warm Python that runs the cells in a plain fork whenever asked."""

    def __init__(self, zygote: str, cells: list[list[str]]) -> None:
        read, self._write = os.pipe()
        kind = kind_of(zygote)
        self.process = subprocess.Popen(
            [
                *(str(python_of(zygote)), "-s", "-P", "-B", "-c", SCRIPT),
                *(str(ROOT), str(ROOT / "labs" / "labkit"), " ".join(kind.modules), str(read)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[read],
            env=kind.environment,
        )
        os.close(read)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(cells))
        self.process.stdin.close()

    def seconds(self) -> float:
        assert self.process.stdout is not None
        os.write(self._write, b"x")
        return float(self.process.stdout.readline())

    def close(self) -> None:
        os.close(self._write)
        self.process.wait()
