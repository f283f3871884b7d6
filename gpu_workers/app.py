"""The worker side of Celery. A message is only a nudge: what is graded next, campus decides.

So messages are acknowledged before they are worked on, carry no result and may be lost: an idle slot
looks by itself every few seconds, and campus nudges again.
"""

import logging
import sys

import structlog
from celery import Celery
from kombu import Queue

from gpu_workers.settings import settings

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=False)
        if sys.stderr.isatty()
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    logger_factory=structlog.PrintLoggerFactory(sys.stderr),
)

app = Celery(
    "gpu_workers",
    broker=settings().broker_url,
    include=["gpu_workers.tasks"],
    fixups=[],  # Celery's own would load Django wherever DJANGO_SETTINGS_MODULE is set
)
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=False,
    task_queues=[Queue(capability) for capability in settings().worker_capabilities],
    task_default_queue="cpu",
    worker_concurrency=settings().worker_slots,
    worker_prefetch_multiplier=1,
    worker_proc_alive_timeout=180.0,  # a slot warms its zygote before it says that it is there
    worker_enable_remote_control=False,  # a worker's health is what it tells campus
    worker_send_task_events=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"socket_connect_timeout": 2, "health_check_interval": 15},
)
