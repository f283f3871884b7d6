"""`python -m gpu_workers`: a worker with what Gradus does not use of Celery switched off."""

from gpu_workers.app import app

OFF = (
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)  # mingling alone takes a second


def main() -> None:
    app.worker_main(["worker", *OFF, "--loglevel=warning"])


if __name__ == "__main__":
    main()
