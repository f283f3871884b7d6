"""A site on which somebody grades without a wall says so on every page."""

import math

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campus.workers import context
from campus.workers.models import Worker, WorkerToken

pytestmark = pytest.mark.django_db
WORDS = "This site grades without a sandbox"


@pytest.mark.parametrize(("unsafe", "said"), [(True, True), (False, False)])
def test_every_page_says_it(
    client: Client, monkeypatch: pytest.MonkeyPatch, unsafe: bool, said: bool
) -> None:
    monkeypatch.setattr(context, "_read", (-math.inf, False))
    Worker.objects.create(
        token=WorkerToken.objects.create(name="host", sha256="0" * 64),
        name="host/0",
        boot="b" * 32,
        wall="none" if unsafe else "local",
        unsafe=unsafe,
        started_at=timezone.now(),
        last_seen_at=timezone.now(),
    )
    page = client.get(reverse("receipts_verify")).content.decode()
    assert (WORDS in page) is said
