"""Windows has no fork, no killpg and no fcntl: what needs them asks first, or runs on Linux alone."""

import ast
from pathlib import Path

import retention_kit

_POSIX_MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
_POSIX_NAMES = {
    "os": {"chown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg", "getpgid", "getuid"}
    | {"killpg", "mkfifo", "nice", "sched_getaffinity", "setpgid", "setsid", "statvfs", "sysconf", "uname"}
    | {"wait", "wait3", "wait4", "WEXITSTATUS", "WIFEXITED", "WIFSIGNALED", "WNOHANG", "WTERMSIG"},
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1"}
    | {"alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigtimedwait", "sigwait"},
    "socket": {"AF_UNIX", "SOCK_SEQPACKET", "send_fds", "recv_fds"},
    "time": {"tzset"},
}

#: Each stands behind a question whether it is there; `forkserver` is started on Linux alone.
_ASKED_FOR = {
    ("browsers", "os.geteuid"),
    ("browsers", "os.killpg"),
    ("browsers", "signal.SIGKILL"),
    ("cores", "os.sched_getaffinity"),
    ("kernels", "os.killpg"),
    ("kernels", "signal.SIGKILL"),
    ("locks", "fcntl"),
}


def needed(path: Path) -> set[tuple[str, str]]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & _POSIX_MODULES
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} & _POSIX_MODULES
        elif isinstance(node, ast.Attribute):
            of = ast.unparse(node.value)
            found |= {f"{of}.{node.attr}"} if node.attr in _POSIX_NAMES.get(of, ()) else set()
    return {(path.stem, name) for name in found}


def test_what_windows_does_not_have_is_asked_for_before_it_is_used():
    modules = Path(retention_kit.__file__).parent.rglob("*.py")
    used = set().union(*(needed(path) for path in modules if path.stem != "forkserver"))
    assert used == _ASKED_FOR
