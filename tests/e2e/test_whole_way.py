"""The whole way: a student signs in, writes, submits and is graded; staff see it; the outsider does not."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from grader.notebook import reference_answers
from labs.catalog import get_lab

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

COURSE = "/courses/comp4901y-2025"
LAB = f"{COURSE}/labs/autodiff/"


def write(page: Page, cell: str, source: str) -> None:
    """Replace what stands in an exercise cell, as a person would with select-all and paste."""
    editor = page.locator(f"[data-cell='{cell}'] .cm-content")
    editor.scroll_into_view_if_needed()
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)


def write_solutions(page: Page, **changed: str) -> None:
    answers = reference_answers(get_lab("autodiff")) | changed
    for cell, source in answers.items():
        write(page, cell, source)


def submit(page: Page) -> None:
    page.locator("[data-submit]").click()
    confirm = page.locator("[data-confirm-submit]")
    if confirm.count():
        confirm.first.click()


def wrong_dual() -> tuple[str, str]:
    """A wrong solution that ships with the lab: the cell it replaces, and its source."""
    from grader.percent import read_fragment

    folder = get_lab("autodiff").folder / "wrong"
    for path in sorted(folder.glob("*.py")):
        cells = read_fragment(path.read_text(), file=str(path))
        if set(cells) == {"dual"}:
            return "dual", cells["dual"]
    raise AssertionError("no wrong solution of the lab replaces the cell `dual` alone")


def test_a_student_solves_the_lab_and_sees_every_verdict_and_the_full_score(sign_in) -> None:
    lab = get_lab("autodiff")
    page = sign_in("student")
    page.goto(LAB)
    write_solutions(page)
    submit(page)
    panel = page.locator("#panel")
    for check in lab.checks:
        expect(panel.locator(f"#result-{check.name}")).to_have_attribute(
            "data-verdict", "passed", timeout=30_000
        )
    expect(panel.locator("[data-score]")).to_have_attribute(
        "data-score", re.compile(r"^100(\.0*)?$")
    )
    page.goto(f"{LAB}submissions/")
    expect(page.locator("main")).to_contain_text(f"{lab.points:f}")


def test_a_receipt_verifies_and_a_changed_notebook_does_not(sign_in, tmp_path: Path) -> None:
    page = sign_in("student")
    page.goto(LAB)
    write(page, "dual", "class Dual:\n    pass\n")
    submit(page)
    link = page.locator("#panel a[href*='/receipt/']")
    expect(link).to_be_visible(timeout=30_000)
    with page.expect_download() as download:
        link.click()
    receipt = tmp_path / "receipt.json"
    download.value.save_as(receipt)
    submission = json.loads(receipt.read_text())
    identity = json.dumps(submission)
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", identity)
    assert found, identity
    answer = page.request.get(f"{COURSE}/submissions/{found.group()}/notebook/")
    assert answer.ok
    notebook = tmp_path / "notebook.ipynb"
    notebook.write_bytes(answer.body())
    changed = tmp_path / "changed.ipynb"
    changed.write_bytes(answer.body().replace(b"class Dual", b"class  Dual"))
    for file, finding in ((notebook, "genuine"), (changed, "notebook_changed")):
        page.goto("/receipts/verify/")
        page.set_input_files("input[name=receipt]", receipt)
        page.set_input_files("input[name=notebook]", file)
        page.locator("main form button[type=submit]").click()
        expect(page.locator("[data-finding]")).to_have_attribute("data-finding", finding)


def test_a_wrong_solution_shows_the_failing_check_and_the_first_element_that_differs(
    sign_in, site
) -> None:
    cell, source = wrong_dual()
    page = sign_in("student")
    page.goto(LAB)
    write_solutions(page, **{cell: source})
    submit(page)
    panel = page.locator("#panel")
    last = get_lab("autodiff").checks[-1].name
    expect(panel.locator(f"#result-{last}")).to_have_attribute(
        "data-verdict", re.compile("passed|failed|not_reached"), timeout=30_000
    )
    failing = panel.locator("article[data-verdict=failed]").first
    expect(failing).to_be_visible()
    expect(failing.locator(".difference")).to_contain_text("Expected")

    page.goto(f"{LAB}submissions/")
    own = page.locator("main a[href*='/submissions/']").first.get_attribute("href")
    assert own is not None

    staff = sign_in("assistant")
    staff.goto(f"{COURSE}/staff/autodiff/")
    expect(staff.locator("main")).to_contain_text("student")
    address = staff.locator("main a[href*='/staff/submissions/']").first.get_attribute("href")
    assert address is not None
    staff.goto(address)
    expect(staff.locator("article[data-verdict=failed]").first).to_be_attached()
    expect(staff.locator("main")).to_contain_text("class Dual")

    outsider = sign_in("outsider")
    for path in (
        own,
        address,
        LAB,
        f"{LAB}submissions/",
        f"{COURSE}/staff/",
        f"{COURSE}/staff/autodiff/",
    ):
        answer = outsider.goto(path)
        assert answer is not None
        assert answer.status == 404, path


def test_a_killed_worker_costs_a_moment_and_nothing_else(sign_in, site) -> None:
    page = sign_in("student")
    page.goto(LAB)
    slow = "import time\ntime.sleep(4)\n" + reference_answers(get_lab("autodiff"))["dual"]
    write_solutions(page, dual=slow)
    submit(page)
    expect(page.locator("#panel")).to_contain_text(
        re.compile("running|grading", re.I), timeout=15_000
    )
    time.sleep(1)
    victims = site.worker_processes()
    assert victims
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    lab = get_lab("autodiff")
    expect(page.locator("#panel [data-score]")).to_have_attribute(
        "data-score", re.compile(r"^100(\.0*)?$"), timeout=60_000
    )
    assert page.locator("#panel article.result").count() == len(lab.checks)
