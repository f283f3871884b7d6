"""How people come in: by roster, or by signing up where an operator allows it."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth with sign-up closed unless GRADUS_ALLOW_SIGNUP opens it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.GRADUS_ALLOW_SIGNUP)
