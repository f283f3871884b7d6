"""A receipt proves exactly one notebook, and any changed byte is noticed."""

import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campus.submissions.receipts import Finding, Verification, key_id, receipt_for, verify_receipt
from tests.cast import NOW, WRONG, Cast, hand_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cast: Cast) -> tuple[bytes, bytes]:
    submission = hand_in(cast).submission
    return receipt_for(submission).content, submission.notebook.encode()


def test_it_verifies_with_the_notebook_that_was_handed_in(pair: tuple[bytes, bytes]) -> None:
    found = verify_receipt(*pair)
    assert found.genuine
    assert "student handed in exactly this notebook as submission 1 of tiny" in found.sentence


def test_it_names_what_was_handed_in_by_whom_and_when(
    cast: Cast, pair: tuple[bytes, bytes]
) -> None:
    statement = json.loads(pair[0])["receipt"]
    assert statement["student"] == "student"
    assert statement["submitted_at"] == NOW.isoformat(timespec="microseconds")
    assert statement["lab_hash"] == cast.lab.content_hash
    assert statement["course"] == cast.course.slug


def test_another_notebook_does_not_verify(cast: Cast, pair: tuple[bytes, bytes]) -> None:
    other = hand_in(cast, answers=WRONG).submission.notebook.encode()
    assert verify_receipt(pair[0], other).finding is Finding.NOTEBOOK_CHANGED


def test_a_receipt_with_a_better_time_does_not_verify(pair: tuple[bytes, bytes]) -> None:
    earlier = pair[0].replace(b"2025-02-20T12", b"2025-02-20T11")
    assert verify_receipt(earlier, pair[1]).finding is Finding.RECEIPT_CHANGED


def test_a_receipt_of_another_site_is_told_apart(
    cast: Cast, pair: tuple[bytes, bytes], settings
) -> None:
    settings.GRADUS_RECEIPT_KEY = "another-site's-key-that-is-long-enough"
    assert verify_receipt(*pair).finding is Finding.FOREIGN_KEY


def test_a_receipt_under_an_earlier_key_still_verifies(
    cast: Cast, pair: tuple[bytes, bytes], settings
) -> None:
    settings.GRADUS_RECEIPT_OLD_KEYS = [settings.GRADUS_RECEIPT_KEY]
    settings.GRADUS_RECEIPT_KEY = "the-new-key-after-the-change-0123456789"
    assert verify_receipt(*pair).genuine
    assert key_id(settings.GRADUS_RECEIPT_KEY).encode() not in pair[0]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff\xfe", b"null", b"[" * 9000, b'{"receipt": 1}', b"x" * 20_000],
)
def test_what_is_no_receipt_is_said_to_be_none(content: bytes) -> None:
    assert verify_receipt(content, b"").finding is Finding.UNREADABLE


@pytest.mark.parametrize("signature", ["\\ud800", "\\u00e9", ""])
def test_a_signature_that_is_no_text_is_a_wrong_one(
    pair: tuple[bytes, bytes], signature: str
) -> None:
    right = json.loads(pair[0])["signature"]["value"]
    receipt = pair[0].replace(right.encode(), signature.encode())
    assert verify_receipt(receipt, pair[1]).finding is Finding.RECEIPT_CHANGED


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_the_receipt_fails(pair: tuple[bytes, bytes], data) -> None:
    receipt, notebook = pair
    changed = _with_one_byte_changed(receipt, data)
    assert not verify_receipt(changed, notebook).genuine


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_the_notebook_fails(pair: tuple[bytes, bytes], data) -> None:
    receipt, notebook = pair
    found = verify_receipt(receipt, _with_one_byte_changed(notebook, data))
    assert found.finding is Finding.NOTEBOOK_CHANGED


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_taken_out_or_put_in_fail(pair: tuple[bytes, bytes], data) -> None:
    receipt, notebook = pair
    place = data.draw(st.integers(0, len(receipt)))
    added = data.draw(st.binary(min_size=1, max_size=3))
    assert not verify_receipt(receipt[:place] + added + receipt[place:], notebook).genuine
    if place < len(receipt):
        assert not verify_receipt(receipt[:place] + receipt[place + 1 :], notebook).genuine


def test_the_page_says_it_in_a_sentence(pair: tuple[bytes, bytes], client: Client) -> None:
    assert "Genuine:" in _on_the_page(client, *pair)
    assert "not the one that was handed in" in _on_the_page(client, pair[0], pair[1] + b" ")
    assert "changed after it was" in _on_the_page(client, pair[0] + b"\n", pair[1])


def test_the_page_refuses_files_that_cannot_be_ours(
    pair: tuple[bytes, bytes], client: Client
) -> None:
    assert "A receipt has at most 16 KiB" in _on_the_page(client, b"x" * 17_000, pair[1])


def test_the_command_ends_with_zero_only_when_genuine(
    pair: tuple[bytes, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt, notebook = tmp_path / "receipt.json", tmp_path / "notebook.ipynb"
    receipt.write_bytes(pair[0])
    notebook.write_bytes(pair[1])
    call_command("verify_receipt", receipt, notebook)
    assert "Genuine" in capsys.readouterr().out
    notebook.write_bytes(pair[1] + b"\n")
    with pytest.raises(CommandError, match="notebook_changed") as refused:
        call_command("verify_receipt", receipt, notebook)
    assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="cannot be read") as unreadable:
        call_command("verify_receipt", tmp_path / "none", notebook)
    assert unreadable.value.returncode == 2


def test_downloads_verify_as_they_come(cast: Cast, client: Client) -> None:
    submission = hand_in(cast).submission
    client.force_login(cast.student)
    where = [cast.course.slug, submission.pk]
    receipt = client.get(reverse("submissions:receipt", args=where))
    notebook = client.get(reverse("submissions:notebook", args=where))
    assert "attachment" in receipt.headers["Content-Disposition"]
    found: Verification = verify_receipt(receipt.content, notebook.content)
    assert found.genuine


def _with_one_byte_changed(content: bytes, data) -> bytes:
    place = data.draw(st.integers(0, len(content) - 1))
    mask = data.draw(st.integers(1, 255))
    return content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]


def _on_the_page(client: Client, receipt: bytes, notebook: bytes) -> str:
    files = {
        "receipt": SimpleUploadedFile("receipt.json", receipt),
        "notebook": SimpleUploadedFile("notebook.ipynb", notebook),
    }
    answer = client.post(reverse("receipts_verify"), files)
    assert answer.status_code == 200
    return answer.content.decode()
