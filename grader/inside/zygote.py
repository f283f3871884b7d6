"""The zygote: Python with everything imported once, forked for every submission.

Exec'd with an empty environment but for the public constants that the wall sets. It receives one byte
and one descriptor per submission over its control socket and never data: whatever a zygote ever held
could be read in every later fork. It answers with the builder's pid.

    python -s -P -B zygote.py FD LABKIT MODULE…
"""

import contextlib
import gc
import importlib
import importlib.util
import os
import select
import signal
import socket
import struct
import sys
import types

_SOURCE_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, _SOURCE_ROOT)
from grader.inside import init, jail, kernel, seccomp  # noqa: E402

sys.path.remove(_SOURCE_ROOT)

FORK = b"F"
READY = b"R"
PID = struct.Struct(">i")


def import_labkit(folder: str) -> None:
    """Import labkit from the host's folder, then let it look for its parts where jails see them."""
    spec = importlib.util.spec_from_file_location(
        "labkit", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no labkit in {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["labkit"] = module
    spec.loader.exec_module(module)
    module.use_runner(lambda name: None)  # in grading the referee asks, the notebook does not
    sys.path.append(jail.LABKIT_ROOT)
    module.__path__ = [f"{jail.LABKIT_ROOT}/labkit"]


def room_of_this_process(labkit: str) -> jail.Room:
    """The directories that this Python needs, each once."""
    wanted = [
        "/usr",
        "/lib",
        "/lib64",
        "/lib32",
        "/bin",
        "/sbin",
        "/etc/ld.so.cache",
        "/etc/alternatives",
    ]
    wanted += [sys.base_prefix, sys.prefix]
    binds: list[str] = []
    for path in (os.path.normpath(path) for path in wanted):
        inside_another = any(path.startswith(bound + "/") for bound in binds)
        if os.path.lexists(path) and path not in binds and not inside_another:
            binds.append(path)
    return jail.Room(tuple(binds), os.path.realpath(labkit) if labkit else "")


class Zygote:
    """The loop that forks; everything in it is public."""

    def __init__(self, control: socket.socket, labkit: str, modules: list[str]) -> None:
        self.control = control
        for name in modules:
            importlib.import_module(name)
        if labkit:
            import_labkit(labkit)
        self.room = room_of_this_process(labkit)
        self.filter_code = seccomp.program()
        self.shell = kernel.make_shell()
        # Two zygotes of one host should not give their jails the same ids at the same time: the
        # kernel counts pipes and the like by id.
        self.counter = int.from_bytes(os.urandom(4), "big")
        gc.collect()
        gc.freeze()

    def serve(self) -> None:
        """Fork whenever asked; end when the worker closes the control socket."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        jail.adopt_orphans()
        self.control.send(READY)
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        while True:
            poll.poll(1000)
            self.reap()
            try:
                data, descriptors, _, _ = socket.recv_fds(
                    self.control, 1, 1, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                continue
            if not data:
                return
            if data == FORK and len(descriptors) == 1:
                self.fork(descriptors[0])
            else:
                for descriptor in descriptors:
                    os.close(descriptor)

    def fork(self, wire: int) -> None:
        """Fork a builder that keeps `wire`, map its ids, and tell the worker its pid."""
        self.counter += 1
        ready_read, ready_write = os.pipe()
        go_read, go_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ready_read)
            os.close(go_write)
            _builder(self, wire, ready_write, go_read)
        for descriptor in (wire, ready_write, go_read):
            os.close(descriptor)
        try:
            if os.read(ready_read, 1) == b"u":
                jail.map_ids(pid, jail.FIRST_HOST_ID + self.counter % jail.HOST_IDS)
                os.write(go_write, b"m")
        except OSError as error:
            print(f"zygote: cannot map ids: {error}", file=sys.stderr, flush=True)
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        finally:
            os.close(ready_read)
            os.close(go_write)
        self.control.send(PID.pack(pid))

    def reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass


def _builder(zygote: Zygote, wire: int, ready: int, go: int) -> None:
    """In the fork: new namespaces, then init as their pid 1. Never returns."""
    status = 1
    try:
        jail.die_with_parent()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        jail.close_all_but({0, 1, 2, wire, ready, go})
        jail.unshare_everything()
        os.write(ready, b"u")
        if os.read(go, 1) != b"m":
            os._exit(1)
        os.close(ready)
        os.close(go)
        child = os.fork()
        if child == 0:
            init.run(wire, zygote.room, zygote.filter_code, zygote.shell)
            os._exit(0)
        os.close(wire)
        os.waitpid(child, 0)
        status = 0
    except BaseException as error:
        print(f"jail: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def main(arguments: list[str]) -> None:
    control = socket.socket(fileno=int(arguments[0]))
    labkit, modules = arguments[1], arguments[2:]
    sys.argv[:] = ["zygote"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    Zygote(control, labkit, modules).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
