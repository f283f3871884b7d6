"""Whether an answer agrees with the reference's: the same code as in plain Jupyter, see labkit.comparing."""

from labs.labkit.comparing import TOLERANCES, Mismatch, compare, show, unfit

__all__ = ["TOLERANCES", "Mismatch", "compare", "show", "unfit"]
