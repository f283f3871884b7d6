"""Addresses of the schedule's pages."""

from django.urls import path

from campus.schedule import views

app_name = "schedule"
urlpatterns = [
    path("courses/<slug:slug>/syllabus/", views.syllabus, name="syllabus"),
    path("courses/<slug:slug>/schedule/", views.schedule, name="schedule"),
]
