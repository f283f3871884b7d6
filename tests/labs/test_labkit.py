"""labkit in the student's world: light, and harmless wherever a notebook runs."""

import os
import subprocess
import sys

from labs.catalog import HOME


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_importing_labkit_imports_neither_torch_nor_numpy() -> None:
    program = "import sys, labkit; print({'torch', 'numpy'} & set(sys.modules))"
    assert run(program).strip() == "set()"


def test_without_a_runner_a_check_says_once_how_to_get_a_verdict() -> None:
    told = run("from labkit import check\nfor name in ('a', 'b'): check(name)")
    assert told == "check('a'): submit the notebook to see the verdicts of its checks.\n"


def test_with_a_runner_every_check_is_handed_to_it() -> None:
    program = "import labkit\nlabkit.use_runner(print)\nlabkit.check('a')\nlabkit.check('b')"
    assert run(program) == "a\nb\n"


def test_a_chart_is_an_svg_of_its_own_without_any_library() -> None:
    program = """
import math, xml.dom.minidom, labkit
chart = labkit.LineChart("Loss <1>", x="step", y="loss", log_x=True, log_y=True)
chart.line([0, 1, 10, 100], [5.0, 3.0, math.nan, 0.1], "SGD").line([1, 100], [1e-5, 1e9], "other")
plane = labkit.HeatMap("Steps", "step size", "momentum", [1e-3, 1e-2, 1.0], [0.0, 0.5],
                       [[1.0, math.inf, 3.0], [4.0, 5.0, math.nan]], log_x=True).mark(0.1, 0.2, "best")
for picture in (chart, plane):
    root = xml.dom.minidom.parseString(picture.svg())
    print(len(root.getElementsByTagName("path")) > 4, "nan" not in picture.svg(), "inf" not in picture.svg())
"""
    assert run(program) == "True True True\n" * 2


def test_a_figure_is_only_drawn_where_somebody_looks() -> None:
    assert run("import labkit\nprint(labkit.figure(lambda: 1 / 0))") == "None\n"
    kernel = """
import sys, types, labkit
shell = types.SimpleNamespace(kernel=object())
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
def unwritten():
    raise NotImplementedError
print(labkit.figure(lambda: "drawn"), labkit.figure(unwritten))
"""
    told = run(kernel)
    assert told.splitlines()[0].startswith("This picture is drawn by your own functions")
    assert told.splitlines()[1] == "drawn None"
