"""What bench/results.py runs. A section is a function from a list of methods, or None for all, to the Markdown of its tables."""
from . import cleaning

SECTIONS = {
    "digits": cleaning.digits,
}
