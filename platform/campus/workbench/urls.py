"""Addresses of workbench."""

from django.urls import path

from campus.workbench import views
from campus.workbench.api import api

app_name = "workbench"
LAB = "courses/<slug:course_slug>/labs/<slug:assignment_slug>/"
urlpatterns = [
    path("courses/<slug:course_slug>/labs/", views.labs, name="labs"),
    path(LAB, views.lab, name="lab"),
    path(f"{LAB}figures/<path:name>", views.figure, name="figure"),
    path("api/v1/", api.urls),
]
