"""What a lab's notebook may use besides numpy, torch and the standard library.

It is importable as `labkit` wherever a notebook runs: in a jail, in the referee, in Jupyter. Importing
it never imports torch.
"""

from .asking import Runner, check, use_runner
from .chart import HeatMap, LineChart, figure

__all__ = ["HeatMap", "LineChart", "Runner", "check", "figure", "use_runner"]
