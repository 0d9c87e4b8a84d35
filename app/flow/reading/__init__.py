"""From an effective document, whose shape the schema has checked, to a compiled `Definition`; type-checks criteria."""

from app.flow.reading.definition import read_definition
from app.flow.reading.names import declared_names
from app.flow.reading.plain import IMPLICIT_FIELDS, Path, below, path_text
from app.flow.reading.reader import Refused

__all__ = ["IMPLICIT_FIELDS", "Path", "Refused", "below", "declared_names", "path_text", "read_definition"]
