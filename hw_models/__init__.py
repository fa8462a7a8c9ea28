"""What a policy costs on a device: latency tables, the profiler that takes them, analytic models, validation."""

from hw_models.devices import load_device

__all__ = ["load_device"]
