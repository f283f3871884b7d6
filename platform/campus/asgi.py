"""The site as an ASGI application: `uvicorn campus.asgi:application --app-dir platform`."""

import os
import sys
import warnings
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:  # grader.api and labs.catalog live beside platform/
    sys.path.append(ROOT)
# WhiteNoise hands out files as plain iterators; they are small, and Django reads them in one go.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.settings.local")

from django.core.asgi import get_asgi_application  # noqa: E402

from campus.body_limit import with_body_limit  # noqa: E402

application = with_body_limit(get_asgi_application())
