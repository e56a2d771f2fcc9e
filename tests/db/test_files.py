"""Transaction files are kept by their bytes, in a folder of this machine or elsewhere."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from db.files import FileStore
from domain.settlements import TransactionFile

ROWS = b"transaction_entity,entity_id\npayment,pay_1\n" * 1000


@pytest.fixture(params=["folder", "memory"])
def keeping(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where files are kept: on a disk, and in a store that has no disk."""
    return str(tmp_path / "kept") if request.param == "folder" else f"memory://{uuid4().hex}"


async def pieces(data: bytes, size: int = 999) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def read(store: FileStore, file: TransactionFile) -> bytes:
    with store.open(file) as opened:
        return opened.read()


async def test_a_file_is_kept_as_it_came(keeping: str) -> None:
    store = FileStore(keeping)
    kept = await store.keep("acme", "march.csv", pieces(ROWS))
    assert kept == TransactionFile("acme", sha256(ROWS).hexdigest(), "march.csv", len(ROWS))
    assert read(store, kept) == ROWS
    with store.open(kept) as opened:
        opened.seek(len(ROWS) - 5)
        assert opened.read() == ROWS[-5:]


async def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    first = await store.keep("acme", "march.csv", pieces(ROWS))
    again = await store.keep("acme", "march (1).csv", pieces(ROWS, 4096))
    assert again.sha256 == first.sha256
    assert [path.name for path in (tmp_path / "acme").iterdir()] == [first.sha256]


async def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield ROWS
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await FileStore(str(tmp_path)).keep("acme", "march.csv", broken())
    assert list((tmp_path / "acme").iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\passwd", "a\0b\n/passwd"])
async def test_a_name_leads_nowhere(tmp_path: Path, name: str) -> None:
    store = FileStore(str(tmp_path / "kept"))
    kept = await store.keep("acme", name, pieces(b"x"))
    assert kept.name == "passwd"
    assert files_below(tmp_path) == [tmp_path / "kept" / "acme" / kept.sha256]


@pytest.mark.parametrize("gateway", ["../acme", "", "a/b", "."])
async def test_a_gateway_is_no_path(tmp_path: Path, gateway: str) -> None:
    with pytest.raises(ValueError, match="not the name of a gateway"):
        await FileStore(str(tmp_path)).keep(gateway, "march.csv", pieces(b"x"))


@pytest.mark.parametrize("digest", ["0" * 64, "../../secret", ""])
async def test_what_was_not_kept_is_not_found(keeping: str, digest: str) -> None:
    file = TransactionFile("acme", digest, "march.csv", 1)
    with pytest.raises(FileNotFoundError):
        read(FileStore(keeping), file)


async def test_what_arrived_is_taken_in(keeping: str, tmp_path: Path) -> None:
    arrivals = tmp_path / "arrivals"
    (arrivals / "acme").mkdir(parents=True)
    (arrivals / "other").mkdir()
    (arrivals / "other" / "not-ours.csv").write_bytes(b"other")
    for name in ("b.csv", "a.csv", ".hidden", "c.csv.part"):
        (arrivals / "acme" / name).write_bytes(name.encode())
    store = FileStore(keeping, str(arrivals))
    files = await store.arrived("acme")
    assert [file.name for file in files] == ["a.csv", "b.csv"]
    assert [read(store, file) for file in files] == [b"a.csv", b"b.csv"]
    assert await store.arrived("acme") == files


async def test_nothing_arrived(keeping: str, tmp_path: Path) -> None:
    assert await FileStore(keeping).arrived("acme") == []
    assert await FileStore(keeping, str(tmp_path / "nowhere")).arrived("acme") == []
