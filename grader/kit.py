"""`labkit` on the trusted side, by the name under which notebooks and checks know it.

It lies in labs/labkit and is imported as `labkit`, so that an exception or a class of it is the same
object for a lab's checks, for its reference and for the grader.
"""

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import LabError

LABKIT = Path(__file__).resolve().parents[1] / "labs" / "labkit"


def import_labkit() -> None:
    """Make `import labkit` work on the trusted side as it does in a notebook."""
    if "labkit" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "labkit", LABKIT / "__init__.py", submodule_search_locations=[str(LABKIT)]
    )
    if spec is None or spec.loader is None:
        raise LabError(f"{LABKIT} is not a package")
    module = importlib.util.module_from_spec(spec)
    sys.modules["labkit"] = module
    spec.loader.exec_module(module)
    module.use_runner(lambda name: None)


import_labkit()
if TYPE_CHECKING:
    from labs.labkit.comm import Comm, CommError
    from labs.labkit.network import Event, Exceeded, Fabric, Mismatch, Network, Traffic
    from labs.labkit.services import ServiceError
    from labs.labkit.threads import Deadlock, RankFailed, run_threads
else:
    from labkit.comm import Comm, CommError
    from labkit.network import Event, Exceeded, Fabric, Mismatch, Network, Traffic
    from labkit.services import ServiceError
    from labkit.threads import Deadlock, RankFailed, run_threads

__all__ = [
    "LABKIT",
    "Comm",
    "CommError",
    "Deadlock",
    "Event",
    "Exceeded",
    "Fabric",
    "Mismatch",
    "Network",
    "RankFailed",
    "ServiceError",
    "Traffic",
    "import_labkit",
    "run_threads",
]
