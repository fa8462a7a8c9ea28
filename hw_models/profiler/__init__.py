"""Takes latency tables of the machine it runs on. Needs onnxruntime, onnx, numpy; better with scikit-learn."""

from hw_models.profiler.profile import extend_table, profile_host

__all__ = ["extend_table", "profile_host"]
