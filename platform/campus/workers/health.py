"""Whether the site works, for people and for process managers."""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from campus.workers.models import Worker


def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers; the broker and the number of live workers are reported beside it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    recently = timezone.now() - timedelta(seconds=60)
    try:
        broker = bool(Redis.from_url(settings.REDIS_URL, socket_timeout=2).ping())
    except RedisError:
        broker = False
    workers = Worker.objects.filter(last_seen_at__gte=recently).count()
    return JsonResponse({"database": True, "broker": broker, "workers": workers})
