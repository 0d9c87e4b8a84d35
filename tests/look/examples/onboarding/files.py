"""Files that are handed over: places that are empty, filled, full and refused."""

from __future__ import annotations

from typing import Any

from tests.look.examples.facts import KEY, TENANT, WITHIN, Context, days

_FILE: dict[str, Any] = {
    "id": "0192f0c1-7d1e-7000-8000-0000000000f1",
    "name": "Order flow, shop to warehouse.pdf",
    "size": 1_243_811,
    "by": "Maria Lopez",
    "at": days(-1),
    "path": f"{TENANT}/files/0192f0c1-7d1e-7000-8000-0000000000f1",
    "remove": f"{TENANT}/files/0192f0c1-7d1e-7000-8000-0000000000f1/removal",
}
_LONG = _FILE | {"id": "f2", "size": 812, "path": f"{TENANT}/files/f2", "remove": f"{TENANT}/files/f2/removal"}
_LONG |= {"name": "warehouse_orders_export_2026-03-08_full_with_every_column_and_no_blank.csv"}
_PLACE: dict[str, Any] = {
    "id": "diagram",
    "label": {"en": "A diagram of your systems", "de": "Eine Zeichnung Ihrer Systeme"},
    "help": {
        "en": "Which systems exchange data, and who starts it.",
        "de": "Welche Systeme Daten austauschen und wer damit beginnt.",
    },
    "needed": 1,
    "most": 3,
    "room": 3,
    "endings": ["PDF", "PNG", "VSDX"],
    "accept": ".pdf,.png,.vsdx",
    "max_mb": 25,
    "files": [],
    "action": f"{TENANT}/tasks/task.send/files/diagram",
    "error": "",
}
_SAMPLES: dict[str, Any] = _PLACE | {
    "id": "samples",
    "label": {"en": "Sample records", "de": "Beispieldatensätze"},
    "help": {},
    "needed": 0,
    "endings": ["CSV", "XLSX"],
    "action": f"{TENANT}/tasks/task.send/files/samples",
}
FILES = [_FILE, _LONG]
PLACES = [_PLACE | {"files": [_FILE], "room": 2}, _SAMPLES]
FULL = [_PLACE | {"files": [_FILE, _LONG, _FILE | {"id": "f3"}], "room": 0}]
REFUSED = [_PLACE | {"error": "This kind of file is not taken here. Taken are: .pdf, .png, .vsdx."}, _SAMPLES]
_PAGE: Context = {
    "chrome": WITHIN,
    "onboarding": {"tenant": "Contoso", "name": "25 seats"},
    "title": {"en": "Share the plan", "de": "Den Plan teilen"},
    "back": TENANT,
    "names": {"partner": "Northwind", "customer": "Contoso"},
    "command_key": KEY,
}
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/files/task_files.html": [_PAGE | {"places": PLACES}, _PAGE | {"places": []}],
    "onboarding/files/_place.html": [
        {"place": place, "command_key": KEY} for place in (*PLACES, *FULL, REFUSED[0], FULL[0] | {"error": "No."})
    ],
}
