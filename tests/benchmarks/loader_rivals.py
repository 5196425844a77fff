"""The photographs of a release in other stores, each read as its users read it: in memory, LMDB, WebDataset."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import lmdb
import numpy as np
import simplejpeg
import webdataset as wds

from dataset_tools.format.codecs import decode_jpeg
from dataset_tools.store.shard_file import ShardFile

Streams = list[tuple[bytes, ...]]  # of the views of each sample
TARS = 2  # so that each of two workers has one


def streams_of(shards: tuple[Path, ...]) -> Streams:
    """The colour streams of all samples, as stored."""
    out: Streams = []
    for path in shards:
        with ShardFile(path) as shard:
            out += [shard.streams(row) for row in range(len(shard))]
    return out


def with_ours(stream: bytes) -> np.ndarray:
    """(H, W, 3) uint8: the loader's own decoder, as anyone calls it."""
    return simplejpeg.decode_jpeg(stream, "RGB")


def with_opencv(stream: bytes) -> np.ndarray:
    """(H, W, 3) uint8: OpenCV's decoder."""
    return cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_COLOR_RGB)


def write_lmdb(streams: Streams, path: Path) -> None:
    """A record a sample: where the views' streams begin and end, int64 (V + 1), and the streams."""
    with lmdb.open(str(path), map_size=1 << 30, subdir=False) as store, store.begin(write=True) as transaction:
        for number, sample in enumerate(streams):
            ends = np.cumsum([0, *map(len, sample)], dtype=np.int64)
            transaction.put(b"%07d" % number, ends.tobytes() + b"".join(sample))


class LmdbSamples:
    """The samples of an LMDB store, decoded as ours are: (V, H, W, 3) uint8. It opens in the process that reads it."""

    def __init__(self, path: Path, views: int, size: tuple[int, int]) -> None:
        self.path, self.views, self.size = str(path), views, size

    @cached_property
    def transaction(self) -> lmdb.Transaction:
        """Open for reading, set up as for training: no lock, no read-ahead, records as views of the map."""
        return lmdb.open(self.path, readonly=True, lock=False, readahead=False, subdir=False).begin(buffers=True)

    def __getitem__(self, number: int) -> np.ndarray:
        record, head = self.transaction.get(b"%07d" % number), 8 * (self.views + 1)
        ends = (np.frombuffer(record[:head], np.int64) + head).tolist()
        streams = [record[ends[view] : ends[view + 1]] for view in range(self.views)]
        return decode_jpeg({"jpeg": streams}, self.size, {})


def write_tars(streams: Streams, folder: Path) -> list[str]:
    """WebDataset tars: a sample's files are KEY.VIEW.jpg."""
    paths = [str(folder / f"photographs-{tar}.tar") for tar in range(TARS)]
    for tar, path in enumerate(paths):
        with wds.TarWriter(path) as sink:
            for number in range(tar, len(streams), TARS):
                views = {f"{view}.jpg": stream for view, stream in enumerate(streams[number])}
                sink.write({"__key__": f"{number:07d}"} | views)
    return paths


def webdataset(tars: list[str], decode: str | Callable[[str, Any], Any], views: int) -> wds.WebDataset:
    """A WebDataset of the tars' photographs: tuples, a picture a view."""
    names = [f"{view}.jpg" for view in range(views)]
    return wds.WebDataset(tars, shardshuffle=False).decode(decode).to_tuple(*names)


def as_documented(tars: list[str], views: int) -> wds.WebDataset:
    """As its documentation has it: `decode` by a name, here the one that gives uint8 as ours."""
    return webdataset(tars, "rgb8", views)


def with_our_decoder(tars: list[str], views: int) -> wds.WebDataset:
    """With a decoder of the user's own: ours."""
    return webdataset(tars, _jpeg, views)


def _jpeg(key: str, data: bytes | io.BytesIO) -> np.ndarray | None:
    return with_ours(data) if key.endswith(".jpg") else None


def in_memory(streams: Streams, decode: Callable[[bytes], np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Samples decoded from memory: a list of pictures each."""
    for sample in streams:
        yield [decode(stream) for stream in sample]


def one_by_one(streams: Streams, decode: Callable[[bytes], np.ndarray]) -> Iterator[None]:
    """The same, each picture gone before the next is decoded."""
    for sample in streams:
        for stream in sample:
            decode(stream)
        yield None
