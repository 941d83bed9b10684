"""What bench/results.py runs. A section is a function from a list of methods, or None for all, to the Markdown of its tables."""
from . import cleaning, sparse

SECTIONS = {
    "digits": cleaning.digits,
    "mnist": cleaning.mnist,
    "elastic_net": sparse.elastic,
    "group_lasso": sparse.group,
}
