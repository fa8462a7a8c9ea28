"""A trained model in, a smaller model and a report out."""

from compressors.compressor import Compressed, Compressor, CompressorOptions, LayerReport
from compressors.describe import describe
from compressors.equalize import equalize
from compressors.export import int8_layers, integer_layers, write_onnx
from compressors.finetune import FineTuned, bfloat16_is_faster, evaluate, finetune
from compressors.fold import fold
from compressors.imported import Imported
from compressors.importer import read_onnx
from compressors.pack import Packed, PackedTensor, pack, unpack
from compressors.packed_size import PackedSizes, learn_packed_sizes
from compressors.pad_channels import pad_channels
from compressors.parity import Parity, check_parity
from compressors.passes import rows_at_once
from compressors.prune import ChannelMap, End, channel_map, slice_module
from compressors.statistics import Statistics, collect_spreads, collect_statistics
from compressors.teaching import remembered_answers
from compressors.training import Epoch, FinetuneOptions, Progress, TensorData, TrainingState
from compressors.weights_file import read_safetensors

__all__ = [
    "ChannelMap",
    "Compressed",
    "Compressor",
    "CompressorOptions",
    "End",
    "Epoch",
    "FineTuned",
    "FinetuneOptions",
    "Imported",
    "LayerReport",
    "Packed",
    "PackedSizes",
    "PackedTensor",
    "Parity",
    "Progress",
    "Statistics",
    "TensorData",
    "TrainingState",
    "bfloat16_is_faster",
    "channel_map",
    "check_parity",
    "collect_spreads",
    "collect_statistics",
    "describe",
    "equalize",
    "evaluate",
    "finetune",
    "fold",
    "int8_layers",
    "integer_layers",
    "learn_packed_sizes",
    "pack",
    "pad_channels",
    "read_onnx",
    "read_safetensors",
    "remembered_answers",
    "rows_at_once",
    "slice_module",
    "unpack",
    "write_onnx",
]
