"""Whether the site works: anybody may ask, in whatever words."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("silence", ["", "5", "nan", "inf", "-inf", "-1", "1e999", "soon"])
def test_no_way_of_asking_is_an_error(client: Client, silence: str) -> None:
    answer = client.get("/healthz", {"seen_within": silence})
    assert answer.status_code == 200
    assert answer.json() == {"database": True, "broker": False, "workers": 0}
