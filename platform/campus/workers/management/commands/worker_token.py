"""`manage.py worker_token create NAME` prints a host's token once; `revoke NAME`; `list`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campus.workers.models import WorkerToken
from campus.workers.tokens import create_token, revoke_token


class Command(BaseCommand):
    help = "Create, revoke or list the tokens of worker hosts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for action in ("create", "revoke"):
            actions.add_parser(action).add_argument("name", help="the host, e.g. lab-3")
        actions.add_parser("list")

    def handle(self, *args: Any, action: str, name: str = "", **options: Any) -> None:
        if action == "create":
            self._create(name)
        elif action == "revoke":
            if not revoke_token(name, timezone.now()):
                raise CommandError(f"There is no working token called {name}.")
            self.stdout.write(f"Revoked: workers of {name} are turned away from now on.")
        else:
            for token in WorkerToken.objects.order_by("name"):
                state = f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else "works"
                self.stdout.write(f"{token.name}\t{state}\tcreated {token.created_at:%Y-%m-%d}")

    def _create(self, name: str) -> None:
        if WorkerToken.objects.filter(name=name).exists():
            raise CommandError(f"There was a token called {name} before; choose another name.")
        self.stderr.write("Give it to the worker as GRADUS_WORKER_TOKEN; it is not shown again:")
        self.stdout.write(create_token(name))
