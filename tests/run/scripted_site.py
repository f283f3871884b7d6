"""A site of tiny scripts under the real supervisor; started by the tests as a program of its own.

`python scripted_site.py FOLDER [SCENARIO]`: every service writes its process ids to FOLDER/pids.
"""

import asyncio
import sys
from pathlib import Path

from tools.console import Console
from tools.stopping import Stopper
from tools.supervisor import Service, StartError, Supervisor

FOLDER = Path(sys.argv[1])
SCENARIO = sys.argv[2] if len(sys.argv) > 2 else "well-behaved"

PREAMBLE = f"""
import os, signal, subprocess, sys, time
def note(what, pid=None):
    with open({str(FOLDER / "pids")!r}, "a") as file:
        file.write(f"{{what}} {{pid or os.getpid()}}\\n")
"""

# The store has what the worker of Gradus has: a child in a session of its own that ignores SIGTERM, and an
# orphan of an orphan with an empty environment.
STORE = """
sleeper = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", sleeper], start_new_session=True)
note("session", child.pid)
if (middle := os.fork()) == 0:
    os.setsid()
    orphan = subprocess.Popen([sys.executable, "-c", sleeper], env={}, start_new_session=True)
    note("orphan", orphan.pid)
    os._exit(0)
os.waitpid(middle, 0)
note("store")
print("store is up", flush=True)
time.sleep(600)
"""

WORKER = """
def drain(*_):
    print("draining", flush=True)
    time.sleep(0.5)
    note("drained")
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
note("worker")
print("worker is up", flush=True)
time.sleep(600)
"""

STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
note("stubborn")
print("stubborn is up", flush=True)
time.sleep(600)
"""

BROKEN = """
print("no such table: lab", flush=True)
sys.exit(3)
"""


def script(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", PREAMBLE + text)


def noted(word: str) -> bool:
    path = FOLDER / "pids"
    return path.exists() and f"{word} " in path.read_text()


async def store_missing(_: float) -> str:
    return "" if noted("store") else "it has not written its id"


async def never_healthy(_: float) -> str:
    return "it is waiting for the moon"


def services() -> list[Service]:
    store = Service("store", script(STORE), missing=store_missing)
    worker = Service(
        "worker", script(WORKER), starts_after=("store",), stops_before=("store",), grace_seconds=5
    )
    match SCENARIO:
        case "stubborn":
            return [store, Service("stubborn", script(STUBBORN), grace_seconds=600)]
        case "impatient":
            return [store, Service("stubborn", script(STUBBORN), grace_seconds=0.5)]
        case "broken":
            return [store, Service("broken", script(BROKEN), missing=never_healthy)]
        case "never-healthy":
            return [store, Service("slow", script(WORKER), missing=never_healthy)]
        case "missing-program":
            return [Service("absent", ("/nowhere/redis-server",), missing=never_healthy)]
        case _:
            return [store, worker]


async def main() -> None:
    task = asyncio.current_task()
    assert task is not None
    console = Console()
    stopper = Stopper(task, console)
    supervisor = Supervisor(services(), console, FOLDER / "log", healthy_within_seconds=6)
    stopper.at_once = supervisor.kill
    await supervisor.run(lambda seconds: console.say(f"ALL HEALTHY after {seconds:.1f} s"))


try:
    asyncio.run(main())
except StartError as error:
    print(f"START FAILED: {error}", flush=True)
    sys.exit(1)
except asyncio.CancelledError:
    print("STOPPED", flush=True)
