"""Worker processes and the tokens by which their hosts may speak to campus."""

from django.db import models


class WorkerToken(models.Model):
    """A host's right to claim attempts. Only the token's hash is kept."""

    name = models.CharField(max_length=100, unique=True)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Worker(models.Model):
    """One slot of a worker host, as it announced itself."""

    token = models.ForeignKey(WorkerToken, on_delete=models.CASCADE, related_name="workers")
    name = models.CharField(max_length=100)
    boot = models.CharField(max_length=64)
    previous_boot = models.CharField(max_length=64, blank=True)  # heard again: two share the name
    capabilities = models.JSONField(default=list)
    labs = models.JSONField(default=dict)  # slug → content hash
    wall = models.CharField(max_length=40)
    unsafe = models.BooleanField(default=False)
    software = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["token", "name"], name="worker_name_once")]

    def __str__(self) -> str:
        return self.name
