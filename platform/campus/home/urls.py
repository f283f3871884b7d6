"""Addresses of the course list and of each course's home."""

from django.urls import path

from campus.home import homeworks, topics, views

app_name = "courses"
urlpatterns = [
    path("", views.courses, name="list"),
    path("courses/<slug:slug>/", views.home, name="home"),
    path("courses/<slug:slug>/homeworks/<slug:homework>/", homeworks.homework, name="homework"),
    path("courses/<slug:slug>/topics/<slug:topic>/", topics.topic, name="topic"),
    path("courses/<slug:slug>/topics/figures/<slug:lab>/<path:name>", topics.figure, name="figure"),
]
