"""The campus side of Celery: it sends nudges, and its beat sweeps. It never runs a task.

A nudge only says "there may be something to claim"; the database is the truth, so a nudge may get
lost, arrive twice or arrive late. The sweep runs inside the beat process itself instead of being sent
through the broker: it must work just then when the broker does not.
"""

import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery
from celery.beat import ScheduleEntry, Scheduler

ROOT = str(Path(__file__).resolve().parents[2])
for folder in (ROOT, f"{ROOT}/platform"):
    if folder not in sys.path:
        sys.path.append(folder)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.settings.local")

from django.conf import settings  # noqa: E402

NUDGE_TASK = "gpu_workers.grade_next"  # what gpu_workers/tasks.py registers


def broker_url(redis_url: str) -> str:
    """kombu's spelling of a Redis on a unix socket."""
    return redis_url.replace("unix://", "redis+socket://", 1)


class SweepingScheduler(Scheduler):  # type: ignore[misc]
    """Beat that does its one duty itself, so that it needs neither broker nor worker for it."""

    producer: Any = None  # the inherited one would wait for the broker

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        from campus.submissions.sweep import sweep_at_the_edge

        sweep_at_the_edge()


app = Celery("campus", broker=broker_url(settings.REDIS_URL), set_as_current=False)
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_create_missing_queues=True,
    worker_redirect_stdouts=False,
    # A student waits for the answer to "submit" while this connects: fail fast, the sweep nudges again.
    task_publish_retry=False,
    broker_connection_timeout=0.3,
    broker_transport_options={
        "socket_connect_timeout": 0.3,
        "socket_timeout": 0.5,
        "retry_on_timeout": False,
        "max_retries": 0,
    },
    beat_scheduler="campus.celery:SweepingScheduler",
    beat_schedule={
        "sweep": {"task": "sweep", "schedule": float(settings.GRADUS_SWEEP_SECONDS)},
    },
)
