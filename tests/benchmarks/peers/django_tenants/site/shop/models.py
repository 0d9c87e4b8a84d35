"""The tables of one of our tenants as Django models, made from the shapes that the benchmark hands over."""

import json
import os
from pathlib import Path
from typing import Any

from django.db import models

_FIELDS = {
    "uuid": models.UUIDField,
    "text": models.TextField,
    "integer": models.IntegerField,
    "bigint": models.BigIntegerField,
    "boolean": models.BooleanField,
    "timestamptz": models.DateTimeField,
    "date": models.DateField,
    "jsonb": models.JSONField,
    "bytea": models.BinaryField,
    "numeric": lambda **more: models.DecimalField(max_digits=30, decimal_places=6, **more),
    "interval": models.DurationField,
}


def _field(column: dict[str, Any], *, alone: bool) -> models.Field:
    if column["refers_to"]:
        return models.ForeignKey(
            column["refers_to"].title(),
            on_delete=models.CASCADE,
            null=column["null"],
            db_column=column["name"],
            db_index=False,
            related_name="+",
            primary_key=alone,
        )
    return _FIELDS[column["type"]](null=column["null"], primary_key=alone)


def _name(column: dict[str, Any]) -> str:
    return f"{column['name']}_ref" if column["refers_to"] else f"{column['name']}_"


def _model(shape: dict[str, Any]) -> type[models.Model]:
    names = {column["name"]: _name(column).rstrip("_") for column in shape["columns"]}
    keys = [names[key] for key in shape["key"]]
    members: dict[str, Any] = {
        names[column["name"]]: _field(column, alone=shape["key"] == [column["name"]]) for column in shape["columns"]
    }
    if len(keys) > 1:
        members["pk"] = models.CompositePrimaryKey(*keys)
    if os.environ.get("PEER_EXTRA") and shape["name"] == "item":
        members["added"] = models.TextField(null=True)
    indexes = [
        models.Index(fields=[names[c] for c in columns], name=f"i{number}_{shape['name']}"[:30])
        for number, columns in enumerate(shape["indexes"])
    ]
    if "added" in members:
        indexes.append(models.Index(fields=["added"], name="i_added_item"))
    uniques = [
        models.UniqueConstraint(fields=[names[c] for c in columns], name=f"u{number}_{shape['name']}"[:30])
        for number, columns in enumerate(shape["uniques"])
    ]
    meta = type("Meta", (), {"db_table": shape["name"], "indexes": indexes, "constraints": uniques})
    return type(shape["name"].title(), (models.Model,), members | {"Meta": meta, "__module__": __name__})


for _shape in json.loads(Path(os.environ["PEER_SHAPES"]).read_text()):
    globals()[_shape["name"].title()] = _model(_shape)
