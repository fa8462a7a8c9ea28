"""What a policy costs on a device: latency tables, the profiler that takes them, analytic models, validation."""
