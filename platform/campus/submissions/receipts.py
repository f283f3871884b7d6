"""Signed receipts: a student can prove what was handed in, and when, without trusting the database.

A receipt is a small JSON file in exactly one spelling: what is signed is written sorted and without
spaces, and a file that does not come out byte for byte the same when written again has been changed.
The signature is HMAC-SHA256 under GRADUS_RECEIPT_KEY; the key's id is in the receipt, so keys can be
changed while receipts under earlier ones (GRADUS_RECEIPT_OLD_KEYS) still verify.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import Any

from django.conf import settings

from campus.submissions.canonical import sha256_of
from campus.submissions.models import Submission

MAX_RECEIPT_BYTES = 16 * 1024
ALGORITHM = "HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The file that a student keeps."""

    filename: str
    content: bytes


class Finding(StrEnum):
    """What a check of a receipt against a notebook found. Only the first is good."""

    GENUINE = "genuine"
    NOTEBOOK_CHANGED = "notebook_changed"
    RECEIPT_CHANGED = "receipt_changed"
    FOREIGN_KEY = "foreign_key"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Verification:
    """A finding, the sentence for a reader, and what the receipt says if it is authentic."""

    finding: Finding
    sentence: str
    statement: dict[str, Any] | None = None

    @property
    def genuine(self) -> bool:
        return self.finding is Finding.GENUINE


def receipt_for(submission: Submission) -> Receipt:
    """The receipt of a submission; asked for again it is the same, until the key is changed."""
    enrolment, assignment = submission.enrolment, submission.assignment
    statement = {
        "version": 1,
        "submission": str(submission.pk),
        "number": submission.number,
        "course": assignment.course.slug,
        "assignment": assignment.slug,
        "student": enrolment.user.get_username(),
        "sha256": submission.sha256,
        "lab_hash": submission.lab_hash,
        "submitted_at": submission.submitted_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "site": settings.GRADUS_SITE,
    }
    key = settings.GRADUS_RECEIPT_KEY
    name = f"receipt-{assignment.slug}-{submission.number}.json"
    return Receipt(name, _written(statement, key_id(key), _signature(statement, key)))


def verify_receipt(receipt: bytes, notebook: bytes) -> Verification:
    """Whether this site signed the receipt, and for exactly this notebook."""
    parsed = _parsed(receipt)
    if parsed is None:
        return Verification(
            Finding.UNREADABLE,
            "This is not a receipt of Gradus: a receipt is the .json file that was downloaded after "
            "handing in.",
        )
    statement, used_key, signature = parsed
    key = next((key for key in _keys() if key_id(key) == used_key), None)
    if key is None:
        return Verification(
            Finding.FOREIGN_KEY,
            "The receipt was signed with a key that this site does not have: it comes from another "
            "site, or somebody made it up.",
        )
    # What was sent may hold half a character, which is no bytes of any signature.
    sent = signature.encode("ascii", "replace")
    authentic = hmac.compare_digest(_signature(statement, key).encode(), sent)
    if not authentic or _written(statement, used_key, signature) != receipt:
        return Verification(
            Finding.RECEIPT_CHANGED,
            "The receipt is not as this site wrote it: something in the file was changed after it was "
            "signed.",
        )
    if sha256_of(notebook) != statement.get("sha256"):
        return Verification(
            Finding.NOTEBOOK_CHANGED,
            "The receipt is genuine, but the notebook is not the one that was handed in. Use the "
            "notebook as it is downloaded from the submission's page; saving it again in Jupyter "
            "changes it.",
            statement,
        )
    return Verification(
        Finding.GENUINE,
        f"Genuine: {statement['student']} handed in exactly this notebook as submission "
        f"{statement['number']} of {statement['assignment']} ({statement['course']}) at "
        f"{statement['submitted_at']}.",
        statement,
    )


def key_id(key: str) -> str:
    """Names a key without telling anything about it."""
    return hashlib.sha256(b"gradus receipt key\n" + key.encode()).hexdigest()[:16]


def _keys() -> list[str]:
    return [settings.GRADUS_RECEIPT_KEY, *settings.GRADUS_RECEIPT_OLD_KEYS]


def _canonical(statement: dict[str, Any]) -> bytes:
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def _signature(statement: dict[str, Any], key: str) -> str:
    return hmac.new(key.encode(), _canonical(statement), hashlib.sha256).hexdigest()


def _written(statement: dict[str, Any], used_key: str, signature: str) -> bytes:
    envelope = {
        "receipt": statement,
        "signature": {"algorithm": ALGORITHM, "key": used_key, "value": signature},
    }
    return (json.dumps(envelope, sort_keys=True, indent=2) + "\n").encode()


def _parsed(receipt: bytes) -> tuple[dict[str, Any], str, str] | None:
    """Statement, key id and signature of anything that is shaped like a receipt."""
    if len(receipt) > MAX_RECEIPT_BYTES:
        return None
    try:
        envelope = json.loads(receipt)
    except (ValueError, RecursionError):
        return None
    match envelope:
        case {
            "receipt": dict() as statement,
            "signature": {"key": str() as used_key, "value": str() as signature},
        }:
            return statement, used_key, signature
    return None
