"""How well a table predicts whole networks it has never seen: held-out networks, metrics, baselines, a report card."""

from hw_models.validation.card import validate

__all__ = ["validate"]
