"""Whether the site works, for people and for process managers."""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from campus.workers.models import Worker

LONGEST_SILENCE_SECONDS = 60.0  # a worker not heard of for so long is not counted


def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers; the broker and the number of live workers are reported beside it.

    `?seen_within=SECONDS` counts only workers heard of since then: a process manager that has just
    started one must not be told of its predecessor.
    """
    try:
        asked = float(request.GET.get("seen_within", "inf"))
    except ValueError:
        asked = LONGEST_SILENCE_SECONDS
    silence = min(max(0.0, asked), LONGEST_SILENCE_SECONDS)  # in this order "nan" is 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    recently = timezone.now() - timedelta(seconds=silence)
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
            broker = bool(client.ping())
    except RedisError:
        broker = False
    workers = Worker.objects.filter(last_seen_at__gte=recently).count()
    return JsonResponse({"database": True, "broker": broker, "workers": workers})
