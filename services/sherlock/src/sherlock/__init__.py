"""sherlock, the reasoning service of the A.R.C. platform (role reasoner)."""

from importlib.metadata import version

__version__ = version("sherlock")
