"""The web port: the first free one, held open from then on, so that no other run can take it between two steps."""

from __future__ import annotations

import errno
import socket

from app.kernel.errors import Unavailable

TRIED = 100


class NoFreePort(Unavailable):
    """Every port that was tried is taken, or the address is not this machine's."""


def listen_on(host: str, first: int) -> socket.socket:
    """A listening TCP socket on `first` or the next free port. Connections wait in it while nobody serves yet.

    Raises NoFreePort.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + TRIED, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(2048)
        except OSError as error:
            listener.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise NoFreePort(f"Nothing can listen on {host}: {error.strerror}. Check SLIPWAY_HTTP_HOST.") from None
        else:
            return listener
    raise NoFreePort(f"Ports {first} to {first + TRIED - 1} of {host} are taken. Choose another SLIPWAY_HTTP_PORT.")
