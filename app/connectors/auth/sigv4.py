"""AWS Signature Version 4 by botocore's own signer. Its clock and its request are ours; it sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from app.kernel.outbound.client import OutboundRequest
from app.kernel.outbound.egress import parse_url
from app.vault.secret import Secret


def aws_headers(
    request: OutboundRequest,
    keys: tuple[Secret, Secret, Secret | None],
    scope: tuple[str, str],
    now: datetime,
) -> Mapping[str, str]:
    """The headers that sign this very request: `keys` are (access key, secret key, session token).

    `scope` is (service, region). All headers of the request are signed with the body, and the host as the client
    will write it.
    """
    service, region = scope
    wire = {**request.headers, "Host": parse_url(request.url).host_header}
    signed = AWSRequest(method=request.method, url=request.url, data=request.content, headers=wire)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    signed.context["timestamp"] = stamp
    access, secret, token = keys
    credentials = Credentials(access.reveal(), secret.reveal(), token.reveal() if token else None)
    signer = _s3(credentials, region) if service == "s3" else SigV4Auth(credentials, service, region)
    signed.headers["X-Amz-Date"] = stamp
    if token:
        signed.headers["X-Amz-Security-Token"] = token.reveal()
    if service == "s3":
        signed.headers["X-Amz-Content-SHA256"] = signer.payload(signed)
    canonical = signer.canonical_request(signed)
    signature = signer.signature(signer.string_to_sign(signed, canonical), signed)
    names = signer.signed_headers(signer.headers_to_sign(signed))
    signed.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(signed)}, SignedHeaders={names}, Signature={signature}"
    )
    return {name: value for name, value in signed.headers.items() if name not in wire}


def _s3(credentials: Credentials, region: str) -> Any:  # Any: botocore has no types
    return S3SigV4Auth(credentials, "s3", region)
