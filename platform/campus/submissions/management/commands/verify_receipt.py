"""`manage.py verify_receipt RECEIPT NOTEBOOK`: exit code 0 when genuine, 1 when not, 2 when unreadable."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campus.submissions.receipts import MAX_RECEIPT_BYTES, verify_receipt
from grader.api import MAX_NOTEBOOK_BYTES


class Command(BaseCommand):
    help = "Check that a receipt is genuine and belongs to a notebook."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("receipt", type=Path)
        parser.add_argument("notebook", type=Path)

    def handle(self, *args: Any, receipt: Path, notebook: Path, **options: Any) -> None:
        verification = verify_receipt(
            _read(receipt, MAX_RECEIPT_BYTES), _read(notebook, MAX_NOTEBOOK_BYTES)
        )
        if not verification.genuine:
            raise CommandError(f"{verification.finding}: {verification.sentence}", returncode=1)
        self.stdout.write(verification.sentence)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from None
    if len(content) > limit:
        raise CommandError(
            f"{path} is larger than {limit // 1024} KiB, so it is not what this site wrote.",
            returncode=1,
        )
    return content
