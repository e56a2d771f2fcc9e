"""Transaction files as they arrived, in a folder or a bucket: `domain.books.Files`.

Any URL that fsspec knows: a path of this machine, `s3://bucket/folder`, `sftp://host/folder`.
"""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, BinaryIO, Protocol, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.unbroken import unbroken_calls
from domain.privacy import masked
from domain.settlements import TransactionFile

BLOCK = 1024 * 1024
LONGEST_NAME = 255
UNFINISHED = (".part", ".partial", ".filepart", ".tmp")


class Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


@unbroken_calls
class FileStore:
    """`keeping` is ours alone; in `arrivals` a merchant's files lie, in a folder per gateway.

    A file is known by its bytes: names are kept for people, and never lead anywhere.
    """

    def __init__(self, keeping: str, arrivals: str | None = None) -> None:
        self._fs, self._root = _folder(keeping)
        self._arrivals = _folder(arrivals) if arrivals else None

    async def keep(self, gateway: str, name: str, content: AsyncIterator[bytes]) -> TransactionFile:
        """Keep it as it streams in; durable when this returns. The same bytes are kept once."""
        partial = f"{await asyncio.to_thread(self._shelf, gateway)}/{secrets.token_hex(16)}.part"
        digest, size = sha256(), 0
        try:
            file = await asyncio.to_thread(self._fs.open, partial, "wb")
            try:
                async for data in content:
                    await asyncio.to_thread(_write, file, data, digest)
                    size += len(data)
            finally:
                await asyncio.to_thread(_close, self._fs, file)
            kept = TransactionFile(gateway, digest.hexdigest(), _shown(name), size)
            await asyncio.to_thread(self._settle, partial, kept)
        finally:
            await asyncio.to_thread(self._drop, partial)
        return kept

    async def arrived(self, gateway: str) -> list[TransactionFile]:
        """Take in what lies in the merchant's folder, by name; every file that is there, kept.

        What is hidden, or is named as if it were still being written, is left for later.
        """
        if self._arrivals is None:
            return []
        fs, root = self._arrivals
        paths = await asyncio.to_thread(_files_in, fs, f"{root}/{_safe(gateway)}")
        return [await self._take_in(fs, path, gateway) for path in paths]

    @contextmanager
    def open(self, file: TransactionFile) -> Iterator[BinaryIO]:
        """The kept bytes, from the first on; `seek` works. Raises `FileNotFoundError`."""
        with self._fs.open(self._place(file), "rb") as opened:
            yield cast(BinaryIO, opened)

    async def _take_in(self, fs: Any, path: str, gateway: str) -> TransactionFile:
        name = path.rsplit("/", 1)[-1]
        digest, size = await asyncio.to_thread(_digest, fs, path)
        kept = TransactionFile(gateway, digest, _shown(name), size)
        if await asyncio.to_thread(self._fs.exists, self._place(kept)):
            return kept
        return await self.keep(gateway, name, _blocks(fs, path))

    def _shelf(self, gateway: str) -> str:
        shelf = f"{self._root}/{_safe(gateway)}"
        self._fs.makedirs(shelf, exist_ok=True)
        return shelf

    def _place(self, file: TransactionFile) -> str:
        if not re.fullmatch("[0-9a-f]{64}", file.sha256):
            raise FileNotFoundError("no file has such a digest")
        return f"{self._root}/{_safe(file.gateway)}/{file.sha256}"

    def _settle(self, partial: str, kept: TransactionFile) -> None:
        """Give it its name, at once and whole; the same bytes under that name are as good."""
        place = self._place(kept)
        if not self._fs.exists(place):
            self._fs.mv(partial, place)
            _make_durable(self._fs, place.rsplit("/", 1)[0])

    def _drop(self, partial: str) -> None:
        if self._fs.exists(partial):
            self._fs.rm_file(partial)


def _folder(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the folder in it."""
    fs, path = fsspec.core.url_to_fs(url)
    return fs, path.rstrip("/")


def _safe(gateway: str) -> str:
    if not re.fullmatch("[a-z0-9][a-z0-9_-]{0,31}", gateway):
        raise ValueError("not the name of a gateway")
    return gateway


def _shown(name: str) -> str:
    """The last part of a name, without what cannot be printed, or must not go on to Temporal."""
    last = masked(re.split(r"[/\\]", name)[-1])
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME] or "unnamed"


def _write(file: Any, data: bytes, digest: Hash) -> None:
    file.write(data)
    digest.update(data)


def _close(fs: Any, file: Any) -> None:
    """Written through to the disk, where there is one under it."""
    if _is_local(fs):
        file.flush()
        os.fsync(file.fileno())
    file.close()


def _make_durable(fs: Any, folder: str) -> None:
    """A name on a disk is only sure once its folder is."""
    if _is_local(fs):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_local(fs: Any) -> bool:
    return isinstance(fs, LocalFileSystem)


def _files_in(fs: Any, folder: str) -> list[str]:
    try:
        listed = fs.ls(folder, detail=True, refresh=True)
    except FileNotFoundError:
        return []
    paths = sorted(one["name"] for one in listed if one["type"] == "file")
    return [path for path in paths if _is_whole(path.rsplit("/", 1)[-1])]


def _is_whole(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(UNFINISHED)


def _digest(fs: Any, path: str) -> tuple[str, int]:
    digest, size = sha256(), 0
    with fs.open(path, "rb") as file:
        while data := file.read(BLOCK):
            digest.update(data)
            size += len(data)
    return digest.hexdigest(), size


async def _blocks(fs: Any, path: str) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(fs.open, path, "rb")
    try:
        while data := await asyncio.to_thread(file.read, BLOCK):
            yield data
    finally:
        await asyncio.to_thread(file.close)
