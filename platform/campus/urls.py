"""All addresses of the site. An app's own addresses stand in its urls.py."""

from django.urls import include, path

from campus.submissions.verification import verify
from campus.workers.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("receipts/verify/", verify, name="receipts_verify"),
    path("accounts/", include("allauth.urls")),
    path("", include("campus.home.urls")),
    path("", include("campus.schedule.urls")),
    path("", include("campus.submissions.urls")),
    path("", include("campus.gradebook.urls")),
    path("", include("campus.workbench.urls")),
    path("", include("campus.workers.urls")),
]
