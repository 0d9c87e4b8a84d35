"""Every way to sign in on the wire, checked by somebody else's verifier, and no secret where it should not be."""

import base64
import json
import logging
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import msgspec
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from app.connectors.auth import schemes
from app.connectors.auth.assertions import LIFETIME
from app.connectors.auth.authorize import Journey, authorize_url, challenge_of
from app.connectors.auth.blotting import blot
from app.connectors.auth.schemes import ACCESS, Auth, way_of
from app.connectors.auth.signing import Proof, SecretNotStored, sign
from app.connectors.auth.token_requests import Peer, Refusal, Token, read_token, revoke_request, token_request
from app.kernel.outbound.client import (
    OutboundClient,
    OutboundRequest,
    OutboundResponse,
    PeerOutcomeUnknown,
    PeerUnreachable,
)
from app.kernel.outbound.egress import EgressRefused
from app.vault.secret import Secret

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
CANARY = "canary/7f3a+9c1e=&x"
ADDRESS = "https://api.peer.com"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def pem(key) -> bytes:
    kind = serialization.PrivateFormat.PKCS8
    made: bytes = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    return made


def proof(secrets=None, **fields) -> Proof:
    return Proof({name: Secret(value) for name, value in (secrets or {}).items()}, fields, NOW)


def request(url=f"{ADDRESS}/v1/things", **more) -> OutboundRequest:
    return OutboundRequest(method="POST", url=url, **({"headers": {"Accept": "application/json"}} | more))


def form_of(sent: OutboundRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(sent.content.decode(), keep_blank_values=True).items()}


class TestKeys:
    def test_a_header_carries_its_prefix(self):
        scheme = schemes.HeaderKey(secret="k", header="X-Key", prefix="Token ")
        assert sign(scheme, request(), proof({"k": "abc"})).headers["X-Key"] == "Token abc"

    def test_basic_is_user_and_password(self):
        scheme = schemes.Basic(user="u", password="p")
        sent = sign(scheme, request(), proof({"u": "ann", "p": "p\u00e4ss:word"})).headers["Authorization"]
        assert base64.b64decode(sent.removeprefix("Basic ")).decode() == "ann:p\u00e4ss:word"
        with pytest.raises(SecretNotStored):
            sign(scheme, request(), proof({"u": "a:b", "p": "x"}))

    def test_basic_with_a_key_alone_sends_the_filler_that_the_peer_wants(self):
        sent = [sign(schemes.Basic(user="u", filler=text), request(), proof({"u": "key"})) for text in ("", "X")]
        pairs = [base64.b64decode(each.headers["Authorization"].removeprefix("Basic ")) for each in sent]
        assert pairs == [b"key:", b"key:X"]

    @pytest.mark.parametrize("text", ["line\nbreak", "a\r\nb", "\x00", "\x7f"])
    def test_basic_holds_no_control_character(self, text):
        for secrets in ({"u": text, "p": "p"}, {"u": "ann", "p": text}):
            with pytest.raises(SecretNotStored, match="control character"):
                sign(schemes.Basic(user="u", password="p"), request(), proof(secrets))

    @pytest.mark.parametrize("url", [f"{ADDRESS}/v1", f"{ADDRESS}/v1?limit=1"])
    def test_a_query_key_is_whole_and_unseen(self, url, caplog):
        caplog.set_level(logging.DEBUG)
        sent = sign(schemes.QueryKey(secret="k", parameter="key"), request(url), proof({"k": CANARY}))
        assert parse_qs(sent.url.partition("?")[2])["key"] == [CANARY]
        with pytest.raises(EgressRefused) as refused:
            OutboundClient(resolve=lambda *_: ["10.0.0.1"]).send(sent)
        seen = [repr(sent), str(refused.value), repr(refused.value), caplog.text]
        assert not [text for text in seen if "canary" in text]

    @pytest.mark.parametrize("scheme", [schemes.Bearer(secret="k"), schemes.HeaderKey(secret="k", header="X-K")])
    def test_what_no_header_can_carry_is_not_sent(self, scheme):
        for given in ({}, {"k": "caf\u00e9"}):
            with pytest.raises(SecretNotStored) as missing:
                sign(scheme, request(), proof(given))
            assert "caf" not in str(missing.value)


class TestBlotting:
    @pytest.mark.parametrize(
        "dress",
        [
            *(CANARY, "canary%2F7f3a%2B9c1e%3D%26x", json.dumps(CANARY)[1:-1]),
            *(base64.b64encode(b"x" * n + b":" + CANARY.encode() + b":more").decode() for n in range(3)),
        ],
    )
    def test_finds_a_secret_in_every_dress(self, dress):
        blotted = blot(f"you sent {dress} to us".encode(), [Secret(CANARY)])
        assert b"[secret]" in blotted
        assert base64.b64encode(CANARY.encode()[3:15])[:12] not in blotted
        assert b"7f3a" not in blotted


class TestSigV4:
    """Botocore signs the request as it arrived, with the same clock: the signatures must be one."""

    @pytest.mark.parametrize("service", ["execute-api", "s3"])
    @pytest.mark.parametrize("url", [f"{ADDRESS}/a/b%20c?x=1%2F2&a=%C3%A4", f"{ADDRESS}:8443/"])
    @pytest.mark.parametrize("token", [None, "session-token"])
    def test_is_what_the_other_side_computes(self, service, url, token, monkeypatch):
        slots = {"service": service, "access_key": "a", "secret_key": "s", "session_token": "t" if token else ""}
        given = {"a": "AKIDEXAMPLE", "s": CANARY} | ({"t": token} if token else {})
        body = b'{"name": "\xc3\x9cber"}'
        sent = sign(schemes.AwsSigV4(**slots), request(url, content=body), proof(given, region="eu-central-1"))
        headers = {name.lower(): value for name, value in sent.headers.items()}
        said = headers.pop("authorization")
        signed = said.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        assert {"host", "x-amz-date"} <= set(signed)
        headers["host"] = url.removeprefix("https://").partition("/")[0]
        arrived = AWSRequest(method="POST", url=url, data=body, headers={name: headers[name] for name in signed})
        arrived.context["timestamp"] = headers["x-amz-date"]
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        theirs = kind(Credentials("AKIDEXAMPLE", CANARY, token), service, "eu-central-1")
        text = theirs.string_to_sign(arrived, theirs.canonical_request(arrived))
        assert said.endswith("Signature=" + theirs.signature(text, arrived))
        assert headers["x-amz-date"] == "20261123T183000Z"
        assert CANARY not in repr(sent)

    def test_asks_for_its_region(self):
        scheme = schemes.AwsSigV4(service="sqs", access_key="a", secret_key="s")
        with pytest.raises(SecretNotStored, match="region"):
            sign(scheme, request(), proof({"a": "x", "s": "y"}))


class TestAssertions:
    @pytest.mark.parametrize(
        ("algorithm", "key", "public"),
        [
            ("RS256", pem(RSA), RSAKey.import_key(pem(RSA))),
            ("PS256", pem(RSA), RSAKey.import_key(pem(RSA))),
            ("ES256", json.dumps(ECKey.import_key(pem(EC)).as_dict(private=True)), ECKey.import_key(pem(EC))),
        ],
    )
    def test_a_client_proves_itself_for_five_minutes_and_once(self, algorithm, key, public):
        scheme = schemes.PrivateKeyJwt(token_url="/token", key="k", algorithm=algorithm, scopes=("a", "b"))
        peer, given = Peer(scheme, ADDRESS), proof({"k": key}, client_id="us", key_id="k1")
        forms = [form_of(token_request(peer, None, given)) for _ in range(2)]
        assert forms[0]["grant_type"] == "client_credentials"
        assert forms[0]["scope"] == "a b"
        read = [jwt.decode(form["client_assertion"], public, algorithms=[algorithm]) for form in forms]
        claims = read[0].claims
        assert (claims["iss"], claims["sub"], claims["aud"]) == ("us", "us", f"{ADDRESS}/token")
        assert claims["exp"] - claims["iat"] == LIFETIME <= 300
        assert read[0].header["kid"] == "k1"
        assert read[0].claims["jti"] != read[1].claims["jti"]

    def test_a_service_account_states_for_whom(self):
        scheme = schemes.JwtBearer(token_url="/t", key="k", scopes=("drive",), audience="https://login.peer.com")
        given = proof({"k": pem(RSA)}, issuer="robot@peer", subject="ann@peer")
        form = form_of(token_request(Peer(scheme, ADDRESS), None, given))
        claims = jwt.decode(form["assertion"], RSAKey.import_key(pem(RSA)), algorithms=["RS256"]).claims
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert (claims["iss"], claims["sub"], claims["scope"]) == ("robot@peer", "ann@peer", "drive")
        assert claims["aud"] == "https://login.peer.com"

    @pytest.mark.parametrize(
        "key", [b"", b"not a key", b"{}", b'{"kty": "RSA"', pem(EC), b"-----BEGIN " + CANARY.encode()]
    )
    def test_a_key_that_is_none_is_told_without_being_shown(self, key):
        scheme = schemes.PrivateKeyJwt(token_url="/t", key="k")
        with pytest.raises(SecretNotStored) as wrong:
            token_request(Peer(scheme, ADDRESS), None, proof({"k": key}, client_id="us"))
        assert "canary" not in str(wrong.value)
        assert wrong.value.__cause__ is None


class TestTokenEndpoint:
    CODE = schemes.AuthorizationCode(
        authorize_url="https://peer.com/allow", token_url="/token", revoke_url="/revoke", client_secret="s",
        scopes=("a", "b"),
    )  # fmt: skip

    @pytest.mark.parametrize("way", ["post", "basic", "none"])
    def test_the_client_proves_itself_as_the_manifest_says(self, way):
        scheme = msgspec.structs.replace(self.CODE, client_auth=way)
        sent = token_request(Peer(scheme, ADDRESS), Secret("r"), proof({"s": CANARY}, client_id="a:b"))
        form = form_of(sent)
        assert (form["grant_type"], form["refresh_token"], sent.url) == ("refresh_token", "r", f"{ADDRESS}/token")
        pair = base64.b64decode(sent.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        assert pair == ("a%3Ab:canary%2F7f3a%2B9c1e%3D%26x" if way == "basic" else "")
        assert form.get("client_secret") == (CANARY if way == "post" else None)
        assert "canary" not in repr(sent)

    def test_the_way_there_has_a_challenge_and_no_verifier(self):
        journey = Journey.make()
        url = authorize_url(self.CODE, ADDRESS, client_id="us", redirect_uri="https://w/back",
                            state=journey.state.reveal(), challenge=challenge_of(journey.verifier))  # fmt: skip
        asked = {name: values[0] for name, values in parse_qs(url.partition("?")[2]).items()}
        assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "a b", "S256")
        assert journey.verifier.reveal() not in url
        # the pair of RFC 7636, appendix B
        verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    def test_a_token_is_given_back(self):
        sent = revoke_request(Peer(self.CODE, ADDRESS), Secret("r"), "refresh_token", proof({"s": "x"}, client_id="us"))
        assert (sent.url, form_of(sent)["token"]) == (f"{ADDRESS}/revoke", "r")

    def read(self, status, document):
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        return read_token(self.CODE, OutboundResponse(status, {}, content, 0.0), NOW, Secret("kept"))

    @pytest.mark.parametrize(
        ("said", "seconds"),
        [(1800, 1800), ("1800", 1800), (None, 3600), (-5, 3600), ("soon", 3600), (True, 3600), (float("nan"), 3600),
         (1e12, 365 * 86400)],
    )  # fmt: skip
    def test_a_token_lasts_as_long_as_it_can(self, said, seconds):
        got = self.read(200, {"access_token": "t", "token_type": "Bearer", "expires_in": said})
        assert isinstance(got, Token)
        assert got.expires_at - NOW == timedelta(seconds=seconds)
        assert got.refresh == Secret("kept")

    @pytest.mark.parametrize(
        ("status", "document", "later"),
        [
            (400, {"error": "invalid_grant"}, False), (401, {"error": "invalid_client"}, False),
            (400, {"error": "temporarily_unavailable"}, True), (429, {}, True), (503, b"<html>", True),
            (400, {"status": "BAD_REFRESH_TOKEN"}, False), (302, b"", False), (200, b"", True),
            (200, {"access_token": 7}, True), (200, {"access_token": "a\nb"}, True),
            (200, {"access_token": "t", "token_type": "mac"}, False), (200, b"[" * 9_000, True),
        ],
    )  # fmt: skip
    def test_a_refusal_is_for_later_or_for_a_person(self, status, document, later):
        got = self.read(status, document)
        assert isinstance(got, Refusal)
        assert got.later is later

    def test_what_is_stored_is_read_back_and_shown_to_nobody(self):
        token = Token(Secret(CANARY), None, NOW, "a")
        assert Token.read(token.stored(3)) == (3, token)
        assert CANARY not in repr(token)


class TestWays:
    def test_one_or_several_are_read_as_they_stand(self):
        alone = msgspec.convert({"scheme": "bearer", "secret": "k"}, Auth)
        several = msgspec.convert([{"way": "a", "scheme": "none"}, {"way": "b", "scheme": "basic", "user": "u"}], Auth)
        assert way_of(alone, {}) == alone
        assert [way_of(several, {"way": way}).way for way in ("a", "b", "gone", "")] == ["a", "b", "a", "a"]

    def test_a_token_is_sent_as_bearer(self):
        sent = sign(TestTokenEndpoint.CODE, request(), proof({ACCESS: "t"}))
        assert sent.headers["Authorization"] == "Bearer t"


def certificate(name, key, issuer=None, issuer_key=None):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1)).not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer_key or key).public_key()), False)
        .add_extension(x509.KeyUsage(True, False, False, False, False, issuer is None, False, False, False), True)
    )  # fmt: skip
    return made.sign(issuer_key or key, hashes.SHA256())


class TestClientCertificate:
    @pytest.fixture
    def peer(self, tmp_path):
        """A peer on this machine that asks for a certificate of its own authority, and says whose it got."""
        root_key, key, mine = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        root = certificate("Peer Root", root_key)
        served = certificate("api.peer.com", key, root, root_key)
        ours = certificate("us", mine, root, root_key)
        chain = tmp_path / "served.pem"
        encoding = serialization.Encoding.PEM
        chain.write_bytes(served.public_bytes(encoding) + pem(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        context.load_verify_locations(cadata=root.public_bytes(encoding).decode())
        context.verify_mode = ssl.CERT_REQUIRED

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
                content = subject["commonName"].encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        setattr(server, "handle_error", lambda *_: None)  # noqa: B010 - a client that is turned away is no news
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        trust = ssl.create_default_context(cadata=root.public_bytes(encoding).decode())
        port = server.server_address[1]
        client = OutboundClient(
            resolve=lambda *_: ["93.184.216.34"],
            dial=lambda _address, seconds: socket.create_connection(("127.0.0.1", port), seconds),
            tls=trust,
        )
        yield client, ours.public_bytes(encoding), pem(mine)
        server.shutdown()
        server.server_close()

    SCHEME = schemes.ClientCertificate(certificate="c", key="k")

    def test_is_shown_to_the_peer_and_to_nobody_else(self, peer):
        client, chain, key = peer
        sent = sign(self.SCHEME, request(), proof({"c": chain, "k": key}))
        assert client.send(sent).content == b"us"
        assert "PRIVATE KEY" not in repr(sent)
        with pytest.raises((PeerUnreachable, PeerOutcomeUnknown)):  # TLS 1.3 says so only after the handshake
            client.send(request())

    def test_one_that_is_none_is_refused_before_anything_is_sent(self, peer):
        client, chain, _key = peer
        for certificate_, key in ((b"", b""), (chain, pem(RSA)), (b"\x00", CANARY.encode())):
            with pytest.raises(EgressRefused) as refused:
                client.send(sign(self.SCHEME, request(), proof({"c": certificate_, "k": key})))
            assert refused.value.rule == "client_certificate"
            assert "canary" not in str(refused.value)
