"""The supervisor of one machine: order, readiness, restarts, keys, and nothing left behind."""

import asyncio
import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Collection
from pathlib import Path
from subprocess import PIPE

import pytest

from local_stack import Misconfigured, NotReady, Stack, running, supervisor
from local_stack.ports import USUAL_PORTS, chosen_ports, free_ports, refuse_taken
from local_stack.services import services
from local_stack.supervisor import Service, supervised
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
# Says when it is up, waits to be stopped, and writes both moments into a diary.
STAND_IN = """
import signal, sys
name, diary = sys.argv[1:]
def note(what):
    with open(diary, "a") as file:
        file.write(f"{name} {what}\\n")
def stop(*_):
    note("down")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("up")
print("I am up", flush=True)
signal.pause()
signal.pause()
"""
SUPERVISE_TWO = """
import asyncio, sys
from pathlib import Path
from local_stack.__main__ import stop_on_signals
from local_stack.supervisor import Service, supervised
sleeper = [sys.executable, "-c", "print('I am up', flush=True); import time; time.sleep(600)"]
async def main():
    stop_on_signals(stop_with_parent=len(sys.argv) > 2)
    two = [Service(name, sleeper, {}, "I am up") for name in ("one", "two")]
    async with supervised(two, Path(sys.argv[1])) as processes:
        print(*(process.pid for process in processes.values()), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def script(name: str, code: str, *args: object, ready: str | None = "I am up") -> Service:
    return Service(name, [sys.executable, "-c", code, *map(str, args)], {}, ready)


def stand_in(name: str, diary: Path) -> Service:
    return script(name, STAND_IN, name, diary)


async def exited(pids: Collection[int]) -> None:
    """Return once none of these processes is alive; one that nobody has reaped is dead enough."""
    while True:
        if not any(map(_alive, pids)):
            return
        await asyncio.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def test_starts_in_order_of_readiness_and_stops_in_reverse(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    async with supervised([stand_in("one", diary), stand_in("two", diary)], tmp_path) as processes:
        assert all(process.ready.is_set() for process in processes.values())
        pids = [process.pid for process in processes.values()]
    assert diary.read_text().splitlines() == ["one up", "two up", "two down", "one down"]
    assert not any(map(_alive, pids))


async def test_a_service_that_dies_is_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with supervised([stand_in("one", tmp_path / "diary")], tmp_path) as processes:
        one = processes["one"]
        for _ in range(2):
            killed = one.pid
            one.ready.clear()
            os.kill(killed, signal.SIGKILL)
            await one.ready.wait()
            assert one.pid != killed
            assert _alive(one.pid)
    said = capsys.readouterr().out
    assert f"one died (-9), again in 0.2 s: I am up [{tmp_path / 'one.log'}]" in said
    assert "one is up again" in said


async def test_a_service_is_ready_when_its_url_answers(tmp_path: Path) -> None:
    port = free_port()
    argv = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", f"{port}"]
    url = f"http://127.0.0.1:{port}"
    async with supervised([Service("page", argv, {}, url)], tmp_path):
        assert await supervisor.answers(url)
    assert not await supervisor.answers(url)


async def test_a_job_is_done_before_the_next_begins(tmp_path: Path) -> None:
    job = script("job", f"open({str(tmp_path / 'done')!r}, 'w')", ready=None)
    after = script("after", f"open({str(tmp_path / 'done')!r}); print('I am up')\nwhile 1: input")
    async with supervised([job, after], tmp_path) as processes:
        assert processes["after"].ready.is_set()


async def test_a_job_that_fails_stops_everything(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    job = script("job", "raise SystemExit('the disk is full')", ready=None)
    with pytest.raises(NotReady, match="job does not come up: the disk is full"):
        async with supervised([stand_in("one", diary), job], tmp_path):
            raise AssertionError("a stack without its schema was called ready")
    assert diary.read_text().splitlines() == ["one up", "one down"]


async def test_a_service_that_never_gets_ready_is_given_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotReady, match="api does not come up: API_KEYS is empty"):
        async with supervised([script("api", "exit('API_KEYS is empty')")], tmp_path):
            raise AssertionError("a dead service was called ready")
    assert capsys.readouterr().out.count("api died (1)") == supervisor.TRIES_TO_START - 1


async def test_a_service_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "READY_WITHIN", 0.5)
    mute = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    with pytest.raises(NotReady, match="mute does not come up: it said nothing"):
        async with supervised([script("mute", f"{mute}\nwhile 1: input")], tmp_path):
            raise AssertionError("a silent service was called ready")
    assert not _alive(int((tmp_path / "pid").read_text()))


async def test_a_service_that_will_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "STOPPED_WITHIN", 0.2)
    deaf = "import signal; signal.signal(15, lambda *_: None); print('I am up', flush=True)"
    async with supervised([script("deaf", f"{deaf}\nwhile 1: signal.pause()")], tmp_path) as found:
        pid = found["deaf"].pid
    assert not _alive(pid)
    assert "did not stop within 0.2 s and was killed" in capsys.readouterr().out


async def test_nobody_inherits_what_lies_around_in_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "somebody else's")
    show = script("show", "import os; print(sorted(os.environ))", ready=None)
    async with supervised([show], tmp_path):
        said = (tmp_path / "show.log").read_text()
    assert "PATH" in said
    assert "TEMPORAL_API_KEY" not in said


async def test_a_killed_supervisor_leaves_nothing_behind(tmp_path: Path) -> None:
    house = [sys.executable, "-c", SUPERVISE_TWO, f"{tmp_path}"]
    await nothing_is_left_when_killed(house)


async def test_a_killed_make_leaves_nothing_behind(tmp_path: Path) -> None:
    house = [sys.executable, "-c", SUPERVISE_TWO, f"{tmp_path}", "with parent"]
    await nothing_is_left_when_killed(["sh", "-c", '"$0" "$@"; true', *house])


async def nothing_is_left_when_killed(argv: list[str]) -> None:
    house = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, stdout=PIPE)
    assert house.stdout is not None
    pids = [int(pid) for pid in (await house.stdout.readline()).split()]
    assert len(pids) == 2
    assert all(map(_alive, pids))
    house.kill()
    await house.wait()
    async with asyncio.timeout(2):
        await exited(pids)


async def command(*argv: str, **env: str) -> tuple[int | None, str, str]:
    """Run `python -m local_stack …` to its end: its exit code, stdout, stderr."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local_stack", *argv),
        cwd=ROOT,
        env=os.environ | env,
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await child.communicate()
    return child.returncode, out.decode(), err.decode()


@pytest.mark.parametrize(("name", "wanted_by"), [("API_PORT", "api"), ("SMTP_PORT", "smtp")])
async def test_a_taken_port_is_named_in_one_line(tmp_path: Path, name: str, wanted_by: str) -> None:
    state = tmp_path / "run"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ports = {key: f"{value}" for key, value in free_ports().items()} | {name: f"{port}"}
        code, out, err = await command("run", "--state", f"{state}", **ports)
    assert code == 2
    assert out == ""
    assert err.startswith(f"port {port} is taken, and the {wanted_by} wants it: choose another")
    assert f"{name}=" in err
    assert err.count("\n") == 1
    assert not (state / "logs").exists()


def test_one_port_for_two_is_found_out() -> None:
    ports = free_ports()
    with pytest.raises(Misconfigured, match=r"and the api wants it: .* API_PORT=\d+"):
        refuse_taken({**ports, "API_PORT": ports["SHOP_PORT"]})


@pytest.mark.parametrize("value", ["", "http", "0", "65536", "-1", "8000.5"])
def test_a_port_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", value)
    with pytest.raises(Misconfigured, match=f"API_PORT must be a port, 1 to 65535, not '{value}'"):
        chosen_ports(USUAL_PORTS)


def test_the_environment_chooses_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in USUAL_PORTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("API_PORT", "18000")
    assert chosen_ports(USUAL_PORTS) == {**USUAL_PORTS, "API_PORT": 18000}


def test_free_ports_are_free_and_different() -> None:
    ports = free_ports()
    assert len(set(ports.values())) == len(USUAL_PORTS)
    refuse_taken(ports)


def test_keys_are_kept_and_nobody_else_can_read_them(tmp_path: Path) -> None:
    first, again = Stack(tmp_path), Stack(tmp_path)
    assert first.keys == again.keys
    assert first.keys_file.stat().st_mode & 0o777 == 0o600
    assert len(set(first.keys.values())) == len(first.keys)
    (tmp_path / "other").mkdir()
    assert set(Stack(tmp_path / "other").keys.values()).isdisjoint(first.keys.values())


def test_a_stack_that_is_older_than_a_key_gets_it(tmp_path: Path) -> None:
    keys = Stack(tmp_path).keys
    kept = {name: key for name, key in keys.items() if not name.startswith("stripe_")}
    (tmp_path / "keys.json").write_text(json.dumps(kept))
    grown = Stack(tmp_path).keys
    assert grown.keys() == keys.keys()
    assert kept.items() <= grown.items()


def test_each_process_is_told_only_the_secrets_it_needs(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    told = {
        service.name: {name for name, key in stack.keys.items() if key in str(service.env)}
        for service in services(stack)
    }
    merchant = {name for name in stack.keys if name not in ("client", "operator")}
    assert told.pop("shop") == {"client"}
    assert [told.pop(name) for name in ("api", "worker", "simulator")] == [merchant] * 3
    assert not any(told.values())
    assert not any(key in str(s.argv) for s in services(stack) for key in stack.keys.values())


async def test_a_folder_has_one_stack(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "run")
    with stack.folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with pytest.raises(Misconfigured, match=r"another stack is using .*: stop that one first"):
            async with running(stack):
                raise AssertionError("two stacks on one folder")
    assert not stack.folder.exists()
