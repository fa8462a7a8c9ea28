"""A trained model in, a smaller model and a report out."""

from compressors.describe import describe
from compressors.imported import Imported
from compressors.importer import read_onnx
from compressors.prune import ChannelMap, End, channel_map, slice_module

__all__ = ["ChannelMap", "End", "Imported", "channel_map", "describe", "read_onnx", "slice_module"]
