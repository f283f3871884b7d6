"""For the test suite: a throw-away home, constant secrets, fast password hashing."""

import atexit
import os
import shutil
import tempfile

if "GRADUS_HOME" not in os.environ:
    os.environ["GRADUS_HOME"] = tempfile.mkdtemp(prefix="gradus-test-")
    atexit.register(shutil.rmtree, os.environ["GRADUS_HOME"], ignore_errors=True)
os.environ.setdefault("GRADUS_SECRET_KEY", "test-only-secret-key-of-some-length-0001")
os.environ.setdefault("GRADUS_COURSE_SECRET", "test-only-course-secret-of-length-0002")
os.environ.setdefault("GRADUS_RECEIPT_KEY", "test-only-receipt-key-of-some-length-0003")

from campus.settings.base import *  # noqa: F403
from campus.settings.base import HOME

# Of these tests alone, one a process: tests flush it. Most of them run without any Redis.
REDIS_URL = f"unix://{HOME}/redis{os.environ.get('PYTEST_XDIST_WORKER', '')}.sock"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
GRADUS_ALLOW_UNSAFE_WORKERS = True
ACCOUNT_RATE_LIMITS = False
