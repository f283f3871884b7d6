"""Tokens by which worker hosts speak to campus: shown once, stored as a hash, revocable."""

import hmac
import secrets
from datetime import datetime

from campus.submissions.lease import token_hash
from campus.workers.models import WorkerToken


def create_token(name: str) -> str:
    """A new host's token. It cannot be shown again."""
    token = secrets.token_urlsafe(32)
    WorkerToken.objects.create(name=name, sha256=token_hash(token))
    return token


def revoke_token(name: str, now: datetime) -> bool:
    """Whether there was such a token that still worked."""
    return bool(
        WorkerToken.objects.filter(name=name, revoked_at__isnull=True).update(revoked_at=now)
    )


def token_of(raw: str) -> WorkerToken | None:
    """The token row, unless it is unknown or revoked."""
    digest = token_hash(raw)
    row = WorkerToken.objects.filter(sha256=digest, revoked_at__isnull=True).first()
    if row is None or not hmac.compare_digest(row.sha256, digest):
        return None
    return row
