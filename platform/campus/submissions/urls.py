"""Addresses of submissions."""

from django.urls import path

from campus.submissions import feedback_file, streaming, views

app_name = "submissions"

LAB = "courses/<slug:slug>/labs/<slug:assignment>/"
SUBMISSION = "courses/<slug:slug>/submissions/<uuid:submission_id>/"

urlpatterns = [
    path(f"{LAB}submit/", views.submit, name="submit"),
    path(f"{LAB}submissions/", views.history, name="history"),
    path(SUBMISSION, views.detail, name="detail"),
    path(f"{SUBMISSION}status/", views.status, name="status"),
    path(f"{SUBMISSION}events/", streaming.events, name="events"),
    path(f"{SUBMISSION}receipt/", views.receipt, name="receipt"),
    path(f"{SUBMISSION}feedback/", feedback_file.feedback, name="feedback"),
    path(f"{SUBMISSION}notebook/", views.notebook, name="notebook"),
]
