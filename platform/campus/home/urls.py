"""Addresses of the course list and of each course's home."""

from django.urls import path

from campus.home import views

app_name = "courses"
urlpatterns = [
    path("", views.courses, name="list"),
    path("courses/<slug:slug>/", views.home, name="home"),
]
