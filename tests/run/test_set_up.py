"""Set-up does what changed and nothing else, and an interruption is mended by running it again."""

import asyncio
import io
from pathlib import Path

import pytest

from tools.console import Console
from tools.environments import create_step, requirements
from tools.progress import Line, Progress
from tools.steps import Step, StepError, carry_out, hash_files, run_logged

ROOT = Path(__file__).resolve().parents[2]


class Kitchen:
    """A step that copies a recipe to a dish, and how often it was done."""

    def __init__(self, folder: Path) -> None:
        self.recipe = folder / "recipe"
        self.dish = folder / "dish"
        self.recipe.write_text("soup")
        self.times_cooked = 0
        self.burns = False
        self.said = io.StringIO()

    async def _cook(self, line: Line) -> None:
        self.times_cooked += 1
        self.dish.write_text("half a " + self.recipe.read_text())
        if self.burns:
            raise StepError("burnt")
        self.dish.write_text(self.recipe.read_text())

    def step(self) -> Step:
        return Step(
            name="Soup",
            stamp=self.dish.with_name(".cooked"),
            inputs=lambda: hash_files([self.recipe]),
            product=lambda: "dish" if self.dish.exists() else None,
            work=self._cook,
        )

    async def cook(self) -> bool:
        return await carry_out([self.step()], Progress(Console(self.said)))


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path)


async def test_a_step_is_done_once(kitchen: Kitchen) -> None:
    assert await kitchen.cook()
    assert not await kitchen.cook()
    assert kitchen.times_cooked == 1
    assert "✓ Soup" in kitchen.said.getvalue()


async def test_a_step_is_done_again_when_its_input_changed(kitchen: Kitchen) -> None:
    await kitchen.cook()
    kitchen.recipe.write_text("stew")
    assert await kitchen.cook()
    assert kitchen.dish.read_text() == "stew"


async def test_a_step_is_done_again_when_its_product_is_gone(kitchen: Kitchen) -> None:
    await kitchen.cook()
    kitchen.dish.unlink()
    assert await kitchen.cook()


async def test_a_failed_step_is_done_again(kitchen: Kitchen) -> None:
    await kitchen.cook()
    kitchen.recipe.write_text("stew")
    kitchen.burns = True
    with pytest.raises(StepError, match="burnt"):
        await kitchen.cook()
    kitchen.burns = False
    assert await kitchen.cook()
    assert kitchen.dish.read_text() == "stew"


async def test_an_unfinished_environment_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "with space" / "env"
    progress = Progress(Console(io.StringIO()))
    step = create_step("Environment", folder, with_pip=False)
    assert await carry_out([step], progress)
    (folder / "half-installed").touch()
    (folder / ".unfinished").touch()  # as it stands there while pip runs
    assert await carry_out([step], progress)
    assert not (folder / "half-installed").exists()
    assert (folder / "bin" / "python").exists()
    assert not await carry_out([step], progress)


async def test_a_failing_command_shows_the_end_of_its_log_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADUS_HOME", str(tmp_path))
    with pytest.raises(StepError) as caught:
        await run_logged(
            ["sh", "-c", "seq 50; echo no route to host >&2; exit 7"],
            log_name="setup-test",
            on_line=lambda _: None,
            remedy="Mend the network.",
        )
    message = str(caught.value)
    assert "exit status 7" in message
    assert "no route to host" in message
    assert "\n    3\n" not in message
    assert "Mend the network." in message
    assert "\n3\n" in (tmp_path / "log" / "setup-test.log").read_text()


async def test_an_interrupted_command_ends_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADUS_HOME", str(tmp_path))
    lines: list[str] = []
    task = asyncio.create_task(
        run_logged(
            ["sh", "-c", "sleep 600 & echo $!; wait"],
            log_name=None,
            on_line=lines.append,
            remedy="",
        )
    )
    while not lines:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if not _runs(int(lines[0])):
            return
        await asyncio.sleep(0.02)
    pytest.fail("the command's child still runs")


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_the_jail_of_numpy_labs_gets_numpy_and_ipython_and_nothing_else() -> None:
    names = {entry.partition(">=")[0] for entry in requirements("numpy-zygote")}
    assert names == {"numpy", "ipython"}


def test_constraints_name_versions_and_no_places() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        name, equals, version = line.partition("==")
        assert name, line
        assert equals, line
        assert not set("/:@ ") & set(version), line


def test_every_requirement_is_pinned() -> None:
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    groups = (None, "dev", "authoring", "numpy-zygote", "node")
    wanted = [entry for group in groups for entry in requirements(group)]
    names = {entry.partition(">=")[0].partition("==")[0].partition("[")[0] for entry in wanted}
    assert {name.lower() for name in names} <= pinned
