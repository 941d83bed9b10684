"""The objectives of workload B for BOAT, which imports them by their dotted names."""
import torch
import torch.nn.functional as nn


def parameters(model, options):
    return options["params"] if options.get("params") is not None else list(model.parameters())


def lower(feed, upper, model, **options):
    loss = nn.cross_entropy(model(feed["data"], **options), feed["target"], reduction="none")
    squares = sum((w * w).sum() for w in parameters(model, options))
    return (torch.sigmoid(upper.v) * loss).mean() + 0.001 * squares


def upper(feed, upper, model, **options):
    return nn.cross_entropy(model(feed["data"], **options), feed["target"])
