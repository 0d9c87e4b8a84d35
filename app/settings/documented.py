"""Every setting as the manual shows it: its variable, its default and what it means (docs/configuration.md)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Documented:
    """One variable as the manual shows it. `default` is what holds when it is not set; None: it must be set."""

    name: str
    default: str | None
    meaning: str


DOCUMENTED: tuple[Documented, ...] = (
    Documented(
        "SLIPWAY_CONTROL_URL",
        None,
        "postgresql:// URL of the control database. Its user needs CREATEROLE and CREATE on it, no superuser.",
    ),
    Documented(
        "SLIPWAY_CELL_URL",
        None,
        "postgresql:// URL of the first cell. It may share a server with the control database, never a database.",
    ),
    Documented(
        "SLIPWAY_CELL_<NAME>_URL",
        "",
        "postgresql:// URL of one more cell, called <name> in `slipway cells`. Every program gets it.",
    ),
    Documented(
        "SLIPWAY_REDIS_URL", None, "redis://, rediss:// or unix:// URL of Redis 7 or newer, or Valkey; wake-ups only."
    ),
    Documented(
        "SLIPWAY_KEYRING",
        None,
        "Folder of the local keyring: the wrapping key of every tenant. Keep it outside every database backup.",
    ),
    Documented(
        "SLIPWAY_WORKER_KEYRING",
        "<keyring>-worker",
        "Folder of the key that opens connection secrets. Only workers need it; keep it off the web server's machine.",
    ),
    Documented(
        "SLIPWAY_KEYRING_BACKUP_DAYS",
        "0",
        "Days for which backups of the keyring or vault keep a key that was destroyed, 0 to 3650; 0: there are none. "
        "From then on an erased tenant is unreadable in every backup.",
    ),
    Documented(
        "SLIPWAY_TRANSIT_URL",
        "",
        "https:// URL of OpenBao or HashiCorp Vault, whose transit engine then holds the wrapping keys instead of the "
        "keyring's folder. Choose it before the first tenant is made.",
    ),
    Documented("SLIPWAY_TRANSIT_MOUNT", "transit", "Where that transit engine is mounted."),
    Documented(
        "SLIPWAY_TRANSIT_TOKEN_FILE",
        "",
        "File with the vault's token, not readable by others; read again when the vault refuses it, so that an agent "
        "may renew it. Must be set with SLIPWAY_TRANSIT_URL.",
    ),
    Documented("SLIPWAY_TRANSIT_CA_FILE", "", "Certificates (PEM) that the vault's own is checked with."),
    Documented("SLIPWAY_HTTP_PORT", "8000", "Port the web program listens on, 1 to 65535."),
    Documented("SLIPWAY_HTTP_HOST", "127.0.0.1", "Address the web program listens on."),
    Documented(
        "SLIPWAY_HTTP_SOCKET",
        "",
        "Number of an inherited, listening socket to serve on instead of binding host and port.",
    ),
    Documented(
        "SLIPWAY_PUBLIC_URL",
        "http://localhost:<port>",
        "scheme://host[:port] under which people reach the platform; https unless the host is localhost.",
    ),
    Documented(
        "SLIPWAY_SMTP_URL",
        "smtp://localhost:25",
        "smtp://[user:password@]host[:port], or smtps:// for TLS from the first byte.",
    ),
    Documented("SLIPWAY_MAIL_FROM", "no-reply@<public host>", "Sender address of mail that no brand sends."),
    Documented(
        "SLIPWAY_INBOX",
        "",
        "Folder of the local mail sink, shown as a page at /inbox on localhost. Demo and tests only; "
        "refused when hosts other than localhost are served.",
    ),
    Documented(
        "SLIPWAY_ADDRESS_BOOK",
        "",
        "host:port=localport, separated by commas: outgoing calls that go to this machine. "
        "Demo and tests only; refused when hosts other than localhost are served.",
    ),
    Documented(
        "SLIPWAY_EGRESS_PROXY",
        "",
        "http://[user:password@]host:port of a forward proxy (CONNECT) for calls to other companies' systems; "
        "it is asked for addresses that the egress guard has vetted, never for names. Mail and vault go without it.",
    ),
    Documented("SLIPWAY_WORKER_THREADS", "64", "Jobs one worker runs at the same time, 1 to 256."),
    Documented(
        "SLIPWAY_TENANT_JOBS",
        "96",
        "Jobs of one workspace that are on their way to a worker or running at the same time, 1 to 10000, where its "
        "plan or its own limit `jobs` does not say.",
    ),
    Documented("SLIPWAY_GATEWAYS", "4", "Gateway login roles the tenants of a cell are spread over, 1 to 32."),
    Documented("SLIPWAY_WARM_SLOTS", "20", "Workspaces each cell keeps ready to be claimed, 1 to 1000."),
    Documented(
        "SLIPWAY_BUNDLES",
        "<keyring>-bundles",
        "Folder of bundles asked for by API; all in it is sealed. Web, worker and dispatcher share it.",
    ),
    Documented("SLIPWAY_BUNDLE_MIB", "4096", "The largest bundle that may be uploaded, in MiB, 1 to 1048576."),
    Documented("SLIPWAY_BUNDLE_HOURS", "72", "Hours for which a finished bundle can be fetched, 1 to 8760."),
    Documented(
        "SLIPWAY_BUNDLE_RECIPIENTS",
        "",
        "Bundle keys of installations that may get exports by API, separated by commas; empty: none.",
    ),
    Documented(
        "SLIPWAY_FILES",
        "<keyring>-files",
        "Folder of files that people hand over; all in it is sealed. Web, worker, dispatcher and operator share it. "
        "Back it up with the databases.",
    ),
    Documented(
        "SLIPWAY_FILE_MIB", "200", "The largest file that is taken, in MiB, 1 to 1024, whatever a template allows."
    ),
    Documented(
        "SLIPWAY_RATE_SCALE",
        "1",
        "What every limit of requests is multiplied by, 1 to 1000: raise it where many people share one address.",
    ),
    Documented(
        "SLIPWAY_QUEUE_AGE",
        "120",
        "Seconds a workspace's oldest waiting job may have waited, 0 to 86400: beyond that, API requests that begin "
        "new work in it get 429 with Retry-After, and where half of the workspaces that wait do so for longer, all "
        "that begin work in the cell; what people do and read goes on. 0: never.",
    ),
    Documented(
        "SLIPWAY_DRIFT_HOURS",
        "24",
        "Hours between two looks whether other systems still hold what a workspace holds, 0 to 720; each workspace "
        "has a moment of its own. 0: only when somebody asks for a look.",
    ),
    Documented(
        "SLIPWAY_MARK_DAYS",
        "90",
        "Days for which a cell keeps its marks of events that were relayed and of messages that were taken, 31 to "
        "3650. What an event says stays in the trail; a message that its sender repeats later is taken again.",
    ),
    Documented(
        "SLIPWAY_TRUSTED_PROXIES",
        "127.0.0.1",
        "Addresses or networks of reverse proxies, separated by commas, whose X-Forwarded-For is believed; "
        "none: of nobody.",
    ),
    Documented("SLIPWAY_LOG_FORMAT", "text", "text for people, json for collectors."),
)
