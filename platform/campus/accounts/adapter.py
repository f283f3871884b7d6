"""How people come in: by roster, or by signing up where an operator allows it."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from campus.accounts.models import User

LONGEST_CREDENTIAL = (
    1000  # no name, address or password is longer; SQLite fails on a name of 50 000
)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth with sign-up closed unless GRADUS_ALLOW_SIGNUP opens it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.GRADUS_ALLOW_SIGNUP)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Who signs in; what nobody can have as a name or a password is not looked up."""
        if any(len(str(value)) > LONGEST_CREDENTIAL for value in credentials.values()):
            return None
        user: User | None = super().authenticate(request, **credentials)
        return user

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Wrong passwords are counted by account. allauth adds the name by which the site was called,
        which whoever guesses may choose anew for each try where every name is answered to."""
        login: str = credentials.get("email") or credentials.get("username") or ""
        return login.casefold()
