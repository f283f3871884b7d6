"""For a real course. Refuses to start with a default, a short secret or an open host list."""

from django.core.exceptions import ImproperlyConfigured

from campus.settings.base import *  # noqa: F403
from campus.settings.base import environment

_problems = [
    f"GRADUS_{name.upper()} must be set to at least 32 random characters"
    for name in ("secret_key", "course_secret", "receipt_key")
    if len(getattr(environment, name).get_secret_value()) < 32
]
if not environment.allowed_hosts or "*" in environment.allowed_hosts:
    _problems.append(
        'GRADUS_ALLOWED_HOSTS must list the site\'s names, e.g. ["gradus.example.edu"]'
    )
if not environment.database_url.startswith(("postgres://", "postgresql://")):
    _problems.append("DATABASE_URL must name a PostgreSQL database")
if not environment.redis_url:
    _problems.append("REDIS_URL must name a Redis server")
if environment.allow_unsafe_workers:
    _problems.append("GRADUS_ALLOW_UNSAFE_WORKERS must not be set in production")
if _problems:
    raise ImproperlyConfigured("Not starting: " + "; ".join(_problems) + ".")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = environment.secure_cookies
SECURE_SSL_REDIRECT = environment.secure_cookies
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked by what runs beside the site, without TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if environment.secure_cookies else 0
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False
