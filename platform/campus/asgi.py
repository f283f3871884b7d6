"""The site as an ASGI application: `uvicorn campus.asgi:application --app-dir platform`."""

import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:  # grader.api and labs.catalog live beside platform/
    sys.path.append(ROOT)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.settings.local")

from django.core.asgi import get_asgi_application  # noqa: E402

from campus.body_limit import with_body_limit  # noqa: E402

application = with_body_limit(get_asgi_application())
