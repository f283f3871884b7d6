"""The zygote: Python with everything imported once, forked for every submission.

Exec'd with an empty environment but for the public constants that the wall sets. It receives one byte
and one descriptor per submission over its control socket and never data: whatever a zygote ever held
could be read in every later fork. It answers on that descriptor with a pidfd of the builder, which means
the same process to whoever sits outside of a container; so several processes may hold the control socket
and fork from one zygote.

It execs itself again, with the environment and the arguments that it was started with, when it has
forked often, when it has grown, and when labkit was edited. Jails that stand meanwhile keep their parent:
exec changes neither its pid nor what it owes them.

    python -s -P -B zygote.py FD LABKIT WORD…

A word is a module to import ("name?": where it is installed), or `@gpu` (jails see the GPU's devices),
`@bare` (no walls at all), `@forks=N` (exec again after so many), `@again` (set by itself: nobody waits
for the first message), `@own` (set by itself: see `jail.enter_own_namespace`).
"""

import contextlib
import gc
import importlib
import importlib.util
import os
import select
import signal
import socket
import sys
import types

_SOURCE_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, _SOURCE_ROOT)
from grader.inside import forks  # noqa: E402

forks.install()
from grader.inside import bare, init, jail, kernel, pages, seccomp  # noqa: E402

sys.path.remove(_SOURCE_ROOT)

FORK = b"F"
READY = b"R"
BUILDER = b"B"
FORKS_BEFORE_RENEWAL = 2_000
FORKS_BETWEEN_LOOKS = 50
GROWTH = 0.25  # of what it held when it was warm, and at least:
LEAST_GROWTH_BYTES = 32 * 2**20


def import_labkit(folder: str, inside: str) -> None:
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
    sys.path.append(inside or os.path.dirname(folder))
    if inside:
        module.__path__ = [f"{inside}/labkit"]


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
    for prefix in (sys.base_prefix, sys.prefix):  # an environment may be a link to another place
        wanted += [prefix, os.path.realpath(prefix)]
    binds: list[str] = []
    for path in (os.path.normpath(path) for path in wanted):
        inside_another = any(path.startswith(bound + "/") for bound in binds)
        if os.path.lexists(path) and path not in binds and not inside_another:
            binds.append(path)
    return jail.Room(tuple(binds), os.path.realpath(labkit) if labkit else "")


def signature(folder: str) -> tuple[tuple[str, int], ...]:
    """Changes whenever a file of labkit does."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder or "/nowhere") as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                found.append((entry.name, entry.stat().st_mtime_ns))
    return tuple(sorted(found))


def private_bytes() -> int:
    """Memory of this process that is backed by no file."""
    with open("/proc/self/statm") as file:
        fields = file.read().split()
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")


def require_untouched_gpu() -> None:
    """CUDA does not survive a fork, so nothing may have started it here.

    Raises:
        RuntimeError: it was started.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        raise RuntimeError("an import has started CUDA; no fork could use it")
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("/dev/nvidia"):
                raise RuntimeError("an import has opened a GPU; no fork could use it")


class Words:
    """What the command line asks for beside the control socket and labkit."""

    def __init__(self, words: list[str]) -> None:
        options = [word for word in words if word.startswith("@")]
        self.modules = [word for word in words if word not in options]
        self.gpu = "@gpu" in options
        self.bare = "@bare" in options
        self.again = "@again" in options
        self.own = "@own" in options
        told = [int(word.split("=")[1]) for word in options if word.startswith("@forks=")]
        self.forks = told[0] if told else FORKS_BEFORE_RENEWAL


class Zygote:
    """The loop that forks; everything in it is public."""

    def __init__(self, control: socket.socket, labkit: str, words: Words) -> None:
        self.control = control
        self.words = words
        self.signature = signature(labkit)
        for name in words.modules:
            wanted = name.rstrip("?")
            if wanted == name or importlib.util.find_spec(wanted.partition(".")[0]) is not None:
                importlib.import_module(wanted)
        if labkit:
            import_labkit(labkit, jail.LABKIT_ROOT if not words.bare else "")
        require_untouched_gpu()
        self.labkit = labkit
        self.room = room_of_this_process(labkit)
        if words.gpu:
            self.room = jail.with_gpu(self.room)
        self.filter_code = seccomp.program()
        self.shell = kernel.make_shell()
        # Two zygotes of one host should not give their jails the same ids at the same time: the
        # kernel counts pipes and the like by id.
        self.counter = int.from_bytes(os.urandom(4), "big")
        self.forks = 0
        gc.collect()
        gc.freeze()
        pages.join_pages()
        self.warm_bytes = private_bytes()

    def serve(self) -> None:
        """Fork whenever asked; end when the worker closes the control socket."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        jail.adopt_orphans()
        if not self.words.again:
            own = os.pidfd_open(os.getpid())
            socket.send_fds(self.control, [READY], [own])
            os.close(own)
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        while True:
            poll.poll(1000)
            self.reap()
            if self.worn_out():  # whoever asks meanwhile waits in the socket
                exec_again(self.control)
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

    def worn_out(self) -> bool:
        """Whether it is time to begin afresh."""
        if self.forks >= self.words.forks or signature(self.labkit) != self.signature:
            return True
        if self.forks % FORKS_BETWEEN_LOOKS:
            return False
        bound = max(LEAST_GROWTH_BYTES, int(GROWTH * self.warm_bytes))
        return private_bytes() > self.warm_bytes + bound

    def fork(self, wire: int) -> None:
        """Fork a builder that keeps `wire`, map its ids, and give the worker a pidfd of it."""
        self.counter += 1
        self.forks += 1
        ready_read, ready_write = os.pipe()
        go_read, go_write = os.pipe()
        pid = forks.fork()
        if pid == 0:
            os.close(ready_read)
            os.close(go_write)
            _builder(self, wire, ready_write, go_read)
        os.close(ready_write)
        os.close(go_read)
        builder = os.pidfd_open(pid)  # not reaped yet, so the number is still its own
        with socket.socket(fileno=wire) as asker, contextlib.suppress(OSError):
            socket.send_fds(asker, [BUILDER], [builder])  # before anything that the jail will say
        os.close(builder)
        try:
            if os.read(ready_read, 1) == b"u":
                if not self.words.bare:
                    jail.map_ids(pid, jail.FIRST_HOST_ID + self.counter % jail.HOST_IDS)
                os.write(go_write, b"m")
        except OSError as error:
            print(f"zygote: cannot map ids: {error}", file=sys.stderr, flush=True)
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        finally:
            os.close(ready_read)
            os.close(go_write)

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
        if not zygote.words.bare:
            jail.unshare_everything()
        os.write(ready, b"u")
        if os.read(go, 1) != b"m":
            os._exit(1)
        os.close(ready)
        os.close(go)
        child = forks.fork()
        if child == 0:
            run = bare.run if zygote.words.bare else init.run
            run(wire, zygote.room, zygote.filter_code, zygote.shell)
            os._exit(0)
        os.close(wire)
        os.waitpid(child, 0)
        status = 0
    except BaseException as error:
        print(f"jail: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


_STARTED_WITH = dict(os.environ)  # libraries add to it while they are imported


def exec_again(control: socket.socket, *more: str) -> None:
    """Begin afresh in the same process: same control socket, same children, nothing else is kept.

    `more`: words beside those of the command line; none of them means `@again`.
    """
    descriptor = control.fileno()
    os.set_inheritable(descriptor, True)
    options = ["-s", "-P", "-B"]
    script, _, labkit, *words = _ARGUMENTS
    words = [word for word in words if word != "@again"]
    words = [*(more or ("@again",)), *words]
    command = [sys.executable, *options, script, str(descriptor), labkit, *words]
    try:
        os.execve(sys.executable, command, _STARTED_WITH)  # noqa: S606
    except OSError as error:  # e.g. its Python is being installed again; an old zygote beats none
        os.set_inheritable(descriptor, False)
        print(f"zygote: cannot begin afresh: {error}", file=sys.stderr, flush=True)


_ARGUMENTS: list[str] = []


def main(arguments: list[str]) -> None:
    _ARGUMENTS[:] = [os.path.abspath(__file__), *arguments]
    control = socket.socket(fileno=int(arguments[0]))
    control.set_inheritable(False)
    words = Words(arguments[2:])
    if os.geteuid() != 0 and not words.own and not words.bare and jail.enter_own_namespace():
        exec_again(control, "@own")
    sys.argv[:] = ["zygote"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    Zygote(control, arguments[1], words).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
