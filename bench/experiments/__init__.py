"""What bench/results.py runs. A section is a function from a list of methods, or None for all, to the Markdown of its tables."""
from . import auto, cleaning, meta, sparse, toys

SECTIONS = {
    "toys": toys.toys,
    "digits": cleaning.digits,
    "mnist": cleaning.mnist,
    "mnist_network": cleaning.network,
    "elastic_net": sparse.elastic,
    "group_lasso": sparse.group,
    "few_shot": meta.few_shot,
    "architecture": meta.architecture,
    "auto": auto.auto,
    "choices": auto.choices,
    "followers": auto.followers,
    "backends": auto.backends,
    "sizes": auto.sizes,
}
