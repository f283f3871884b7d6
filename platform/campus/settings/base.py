"""What every way of running the site shares."""

from pathlib import Path
from typing import Any

import dj_database_url
import structlog

from campus.settings.env import ROOT, Environment

environment = Environment()

HOME: Path = environment.home
HOME.mkdir(parents=True, exist_ok=True, mode=0o700)

SECRET_KEY = environment.secret_key.get_secret_value()
GRADUS_COURSE_SECRET = environment.course_secret.get_secret_value()
GRADUS_RECEIPT_KEY = environment.receipt_key.get_secret_value()
GRADUS_RECEIPT_OLD_KEYS = [key.get_secret_value() for key in environment.receipt_old_keys]
GRADUS_SITE = environment.site
GRADUS_LEASE_SECONDS = environment.lease_seconds
GRADUS_HEARTBEAT_SECONDS = environment.heartbeat_seconds
GRADUS_SWEEP_SECONDS = environment.sweep_seconds
GRADUS_ALLOW_UNSAFE_WORKERS = environment.allow_unsafe_workers
GRADUS_ALLOW_SIGNUP = False  # people come in by roster, not by signing themselves up
DEBUG = False
ALLOWED_HOSTS = environment.allowed_hosts
CSRF_TRUSTED_ORIGINS = environment.csrf_trusted_origins

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_vite",
    "template_partials",
    "simple_history",
    "campus.ui",  # before allauth, whose pages it dresses
    "allauth",
    "allauth.account",
    "campus.accounts",
    "campus.courses",
    "campus.assignments",
    "campus.schedule",
    "campus.submissions",
    "campus.gradebook",
    "campus.workbench",
    "campus.workers",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "campus.ui.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "campus.urls"
ASGI_APPLICATION = "campus.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "campus.workers.context.unsafe_grading",
            ],
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """Django's settings for a database URL; SQLite gets WAL and immediate transactions.

    Connections are not kept: under ASGI every request has a thread of its own, which would leave its
    connection behind.
    """
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {
            # A deferred transaction that turns into a writer fails at once with "database is
            # locked"; an immediate one waits its turn.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        # Tests meet the same file, journal and waiting as the site does, not SQLite in memory.
        config["TEST"] = {"NAME": str(HOME / "test.sqlite3")}
    return config


DATABASES = {"default": database(environment.database_url or f"sqlite:///{HOME / 'db.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = environment.redis_url or f"unix://{HOME / 'redis.sock'}"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "campus.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
# A whole class signs in at once, and often from one address; guessing is stopped by the account's name.
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {
    "login": "600/m/ip",
    "login_failed": "60/m/ip,5/5m/key",
}
CACHES = {  # of each process; only these limits are kept in it, so several processes allow as many more
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = (
    [("build", ROOT / "frontend" / "dist")] if (ROOT / "frontend" / "dist").is_dir() else []
)
DJANGO_VITE = {
    "default": {
        "dev_mode": False,
        "static_url_prefix": "build",
        "manifest_path": ROOT / "frontend" / "dist" / "manifest.json",
    }
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # no collectstatic needed to try it; production collects all the same

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024  # a notebook of 5 MiB and its envelope

DEFAULT_FROM_EMAIL = environment.default_from_email
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # The usual form of a traceback shows every variable's value where rich is installed: keys,
        # lease tokens and students' answers do not belong in a log.
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ],
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
