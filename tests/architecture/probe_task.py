"""A task that a real worker is asked to run, to tell what `import platform` is inside of it."""

import os
from pathlib import Path

from gpu_workers.app import app


@app.task(name="probe.where_is_platform")
def where_is_platform() -> None:
    import platform

    path = Path(os.environ["PROBE_ANSWER"])
    draft = path.with_suffix(".draft")
    draft.write_text(str(platform.__file__))
    draft.replace(path)


if __name__ == "__main__":
    app.send_task("probe.where_is_platform", queue="probe")
