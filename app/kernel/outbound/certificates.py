"""A certificate of ours that a peer asks for: shown in the TLS handshake of one call, never kept on a disk."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field

import httpcore2

from app.kernel.outbound.egress import refuse


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate of ours and its key, both as PEM: shown to the peer in the TLS handshake of one call."""

    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)


def tls_with(certificate: ClientCertificate, trust: ssl.SSLContext | None) -> ssl.SSLContext:
    """TLS of one call with a certificate of ours. Python loads it from a file only: one in memory, never on a disk.

    Raises EgressRefused for a certificate or key that cannot be used.
    """
    tls = httpcore2.default_ssl_context(_trust_env=False)
    tls.set_alpn_protocols(["http/1.1"])
    for known in trust.get_ca_certs(binary_form=True) if trust else ():
        tls.load_verify_locations(cadata=known)
    with os.fdopen(os.memfd_create("certificate", os.MFD_CLOEXEC), "wb") as file:
        file.write(certificate.chain + b"\n" + certificate.key)
        file.flush()
        try:
            tls.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=lambda: b"")  # never ask at a terminal
        except (ssl.SSLError, OSError, ValueError):
            raise refuse("client_certificate") from None
    return tls
