"""Servers that run as children of this process: a free port, whether it listens, and the end by pid."""

import socket
import subprocess
from collections.abc import Sequence
from signal import SIGKILL, SIGTERM, Signals
from threading import Event
from time import monotonic

STOP_S = 10.0


def free_port() -> int:
    """A port of loopback that nobody listens on now; another process may take it before we do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(process: subprocess.Popen[bytes], port: int, *, within_s: float) -> bool:
    """Whether the port takes connections before the process ends or the time is up."""
    deadline = monotonic() + within_s
    while process.poll() is None and monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            Event().wait(0.05)
        else:
            return process.poll() is None
    return False


def stop(process: subprocess.Popen[bytes], signals: Sequence[Signals] = (SIGTERM, SIGKILL)) -> None:
    """One signal after the other until it has ended."""
    for number in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            continue
