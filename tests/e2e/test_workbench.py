"""The lab page in a real browser: nothing that was typed is lost, everybody can use it, no page is too wide."""

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SignIn = Callable[[str], Page]
COURSE = "/courses/comp4901y-2025"
LAB = f"{COURSE}/labs/autodiff/"
PAGES = ("/", f"{COURSE}/", f"{COURSE}/syllabus/", f"{COURSE}/schedule/", f"{COURSE}/labs/", LAB)
PAUSE_MS = 2500  # longer than autosave waits


def editor(page: Page, cell: str) -> Locator:
    return page.locator(f"[data-cell='{cell}'] .cm-content")


def type_on_top(page: Page, cell: str, text: str) -> None:
    editor(page, cell).click()
    page.keyboard.press("Control+Home")
    page.keyboard.type(text)


def first_line(page: Page, cell: str) -> Locator:
    return page.locator(f"[data-cell='{cell}'] .cm-line").first


def saved_line(page: Page) -> Locator:
    return page.locator("[data-saved]")


def violations(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in found]


def test_two_tabs_meet_and_nothing_is_lost(sign_in: SignIn) -> None:
    first = sign_in("instructor")
    first.goto(LAB)
    second = first.context.new_page()
    second.goto(LAB)
    type_on_top(second, "jvp", "# from the second tab\n")
    expect(saved_line(second)).to_contain_text("Saved", timeout=PAUSE_MS)
    first.bring_to_front()
    type_on_top(first, "jvp", "# from the first tab\n")
    conflict = first.locator("[data-conflict='jvp']")
    expect(conflict).to_be_visible(timeout=PAUSE_MS)
    assert violations(first) == []
    conflict.get_by_role("button", name="Keep this version").click()
    expect(conflict).to_have_count(0)
    expect(first_line(first, "jvp")).to_have_text("# from the first tab")
    first.keyboard.press("Control+z")
    expect(first_line(first, "jvp")).to_have_text("# from the second tab")


def test_work_without_a_connection_is_kept_said_and_sent(sign_in: SignIn) -> None:
    page = sign_in("instructor")
    page.goto(LAB)
    page.context.set_offline(True)
    type_on_top(page, "hvp", "# written in a tunnel\n")
    expect(saved_line(page)).to_contain_text("No connection", timeout=PAUSE_MS)
    page.context.set_offline(False)
    expect(saved_line(page)).to_contain_text("Saved", timeout=10_000)
    page.reload()
    expect(first_line(page, "hvp")).to_have_text("# written in a tunnel")


def test_a_tab_that_dies_in_the_middle_of_a_word_leaves_it_to_the_next_one(sign_in: SignIn) -> None:
    page = sign_in("instructor")
    page.goto(LAB)
    page.context.set_offline(True)  # or the request of the dying page would save it
    type_on_top(page, "gradcheck", "# unfinished wo")
    page.close(run_before_unload=False)
    context = page.context
    context.set_offline(False)
    again = context.new_page()
    again.goto(LAB)
    expect(first_line(again, "gradcheck")).to_contain_text("# unfinished wo")
    expect(again.locator("main")).to_contain_text("Your unsaved work is back")
    expect(saved_line(again)).to_contain_text("Saved")


def test_the_editor_can_be_left_by_keyboard_and_reset_can_be_undone(sign_in: SignIn) -> None:
    page = sign_in("instructor")
    page.goto(LAB)
    type_on_top(page, "jacobian", "# mine\n")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.cm-editor')") is None
    page.locator("[data-cell='jacobian'] [data-reset]").click()
    expect(first_line(page, "jacobian")).not_to_have_text("# mine")
    page.keyboard.press("Control+z")
    expect(first_line(page, "jacobian")).to_have_text("# mine")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing(sign_in: SignIn, colours: Literal["light", "dark"]) -> None:
    page = sign_in("student")
    page.emulate_media(color_scheme=colours)
    for path in PAGES:
        page.goto(path)
        page.wait_for_timeout(500)
        assert violations(page) == [], path


def test_no_page_is_wider_than_a_phone(sign_in: SignIn) -> None:
    page = sign_in("student")
    page.set_viewport_size({"width": 360, "height": 740})
    for path in (*PAGES, f"{LAB}submissions/", "/accounts/logout/", "/nowhere/"):
        page.goto(path)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_the_choice_of_colours_stays(sign_in: SignIn) -> None:
    page = sign_in("student")
    page.goto(f"{COURSE}/")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_lab_reads_without_scripts(sign_in: SignIn) -> None:
    page = sign_in("student")
    answer = page.request.get(LAB)
    text = answer.text()
    assert "You can read this lab, but not write in it" in text
    assert re.search(r"<code data-python>[^<]*class Dual", text)
