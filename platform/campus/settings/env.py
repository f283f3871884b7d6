"""Everything that the environment may set, in one typed class. Nothing else reads os.environ."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[3]


class Environment(BaseSettings):
    """Settings from the environment: `GRADUS_…`, and `DATABASE_URL` and `REDIS_URL` as everywhere."""

    model_config = SettingsConfigDict(env_prefix="GRADUS_", extra="ignore")

    home: Path = ROOT / "var"  # runtime data: database, sockets, logs, secrets
    secret_key: SecretStr = SecretStr("")  # sessions and CSRF
    course_secret: SecretStr = SecretStr("")  # hidden inputs are derived from it
    receipt_key: SecretStr = SecretStr("")  # signs receipts
    receipt_old_keys: list[SecretStr] = Field(default_factory=list)  # verify earlier receipts
    site: str = "localhost"  # how receipts name this installation
    allowed_hosts: list[str] = Field(default_factory=list)
    csrf_trusted_origins: list[str] = Field(default_factory=list)
    secure_cookies: bool = True  # production without TLS in front must say so
    default_from_email: str = "gradus@localhost"
    lease_seconds: int = Field(default=30, ge=5, le=600)
    heartbeat_seconds: int = Field(default=10, ge=1, le=60)
    sweep_seconds: int = Field(default=15, ge=1, le=600)
    allow_unsafe_workers: bool = False  # results of a worker without a wall are refused otherwise

    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    redis_url: str = Field(default="", validation_alias="REDIS_URL")
