"""A trained model in, a smaller model and a report out."""

from compressors.compressor import Compressed, Compressor, CompressorOptions, LayerReport
from compressors.describe import describe
from compressors.imported import Imported
from compressors.importer import read_onnx
from compressors.prune import ChannelMap, End, channel_map, slice_module
from compressors.statistics import Statistics, collect_spreads, collect_statistics

__all__ = [
    "ChannelMap",
    "Compressed",
    "Compressor",
    "CompressorOptions",
    "End",
    "Imported",
    "LayerReport",
    "Statistics",
    "channel_map",
    "collect_spreads",
    "collect_statistics",
    "describe",
    "read_onnx",
    "slice_module",
]
