"""Addresses of the staff's pages."""

from django.urls import path

from campus.gradebook import export_nbgrader, importing, views

app_name = "gradebook"
urlpatterns = [
    path("courses/<slug:slug>/staff/", views.dashboard, name="dashboard"),
    path(
        "courses/<slug:slug>/staff/submissions/<uuid:submission_id>/",
        views.submission,
        name="submission",
    ),
    path(
        "courses/<slug:slug>/staff/import/nbgrader/",
        importing.import_nbgrader,
        name="import_nbgrader",
    ),
    path(
        "courses/<slug:slug>/staff/export/gradebook.db",
        export_nbgrader.gradebook_db,
        name="export_nbgrader",
    ),
    path("courses/<slug:slug>/staff/<slug:assignment_slug>/", views.assignment, name="assignment"),
]
