"""Addresses of workers."""

from django.urls import path

from campus.workers.api import api

app_name = "workers"
urlpatterns = [path("api/workers/v1/", api.urls)]
