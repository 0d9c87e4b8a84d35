"""The flow of a definition as a drawing: a tree of lines, Mermaid, or Graphviz. Pure; each gives lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from app.flow.definition import Definition, Duration, Item

_SHAPES = {
    "stage": ("[", "]"),
    "gate": ("{{", "}}"),
    "milestone": ("([", "])"),
    "task": ("[", "]"),
    "group": ("[[", "]]"),
}
_DOTS = {"gate": "diamond", "milestone": "oval", "task": "box", "group": "oval", "stage": "folder"}
_LONGEST = 60  # characters of a criterion in a drawing


def draw_tree(definition: Definition) -> Iterator[str]:
    """Stages, what stands in them, and what each waits for, as an indented tree."""
    yield f"{_title(definition, definition.title)} ({definition.id} {definition.version})"
    stages = definition.of_kind("stage")
    for number, stage in enumerate(stages):
        yield from _branch(definition, stage, "", last=number == len(stages) - 1)


def draw_mermaid(definition: Definition) -> Iterator[str]:
    """A Mermaid flowchart: a box for each stage and milestone, an arrow from what is waited for."""
    yield "flowchart TD"
    for stage in definition.of_kind("stage"):
        yield from _mermaid(definition, stage, "  ")
    for before, after, words in _arrows(definition):
        link = f"-. {_labelled(words)} .->" if words else "-->"
        yield f"  {_name(before)} {link} {_name(after)}"


def _mermaid(definition: Definition, item: Item, indent: str) -> Iterator[str]:
    label = _labelled(_label(definition, item))
    members = _members(definition, item)
    if not members:
        opens, closes = _SHAPES[item.kind]
        yield f"{indent}{_name(item.key)}{opens}{label}{closes}"
        return
    yield f"{indent}subgraph {_name(item.key)}[{label}]"
    for member in members:
        yield from _mermaid(definition, member, f"{indent}  ")
    yield f"{indent}end"


def draw_dot(definition: Definition) -> Iterator[str]:
    """The same for Graphviz."""
    yield f"digraph {_quoted(definition.id)} {{"
    yield "  rankdir=LR; compound=true; node [fontname=sans];"
    for stage in definition.of_kind("stage"):
        yield f"  subgraph {_quoted('cluster_' + stage.key)} {{ label={_quoted(_label(definition, stage))};"
        for item in (stage, *_below(definition, stage)):
            label = _quoted(_label(definition, item))
            yield f"    {_quoted(item.key)} [label={label}, shape={_DOTS[item.kind]}];"
        yield "  }"
    for before, after, words in _arrows(definition):
        style = f" [style=dashed, label={_quoted(words)}]" if words else ""
        yield f"  {_quoted(before)} -> {_quoted(after)}{style};"
    yield "}"


def _branch(definition: Definition, item: Item, indent: str, *, last: bool) -> Iterator[str]:
    yield f"{indent}{'└─ ' if last else '├─ '}{_line(definition, item)}"
    members, below = _members(definition, item), indent + ("   " if last else "│  ")
    for number, member in enumerate(members):
        yield from _branch(definition, member, below, last=number == len(members) - 1)


def _members(definition: Definition, item: Item) -> list[Item]:
    """What stands in an item; in a repeated part, what each time of it is made of."""
    repeat = definition.repeats.get(item.key)
    if repeat is not None:
        return list(repeat.pattern[1:])
    return [definition.items[key] for key in item.children if key in definition.items]


def _line(definition: Definition, item: Item) -> str:
    words = [item.key, f"“{_title(definition, item.title)}”", item.task_kind or item.layer or "", item.owner]
    words += _conditions(definition, item)
    return "  ".join(word for word in words if word)


def _conditions(definition: Definition, item: Item) -> Iterator[str]:
    """What else there is to say of an item: when it is taken, and what it waits for."""
    if item.side == "customer":
        yield "(customer)"
    if item.optional:
        yield "(optional)"
    if repeat := definition.repeats.get(item.key):
        times = [f"for each of {repeat.for_each}"] if repeat.for_each else []
        times += [f"at most {repeat.at_most}"] if repeat.at_most else []
        yield f"(repeated {', '.join(times)})"
    if item.due:
        yield f"in {_time(item.due)}"
    if item.depends_on:
        yield f"after {(' or ' if item.join == 'any' else ', ').join(item.depends_on)}"
    for word in ("when", "entry", "exit"):
        if (criterion := getattr(item, word)) is not None:
            yield f"{word}: {_short(criterion.source)}"
    timers = [timer.id for timer in definition.timers.values() if timer.item == item.key]
    if timers:
        yield f"clock: {', '.join(timers)}"


def _arrows(definition: Definition) -> Iterator[tuple[str, str, str]]:
    """From what is waited for to what waits; the words of a condition where there is one."""
    for item in (each for stage in definition.of_kind("stage") for each in (stage, *_below(definition, stage))):
        words = "first of these" if item.join == "any" else ""
        if item.when is not None:
            words = f"if {_short(item.when.source)}"
        yield from ((before, item.key, words) for before in item.depends_on)


def _below(definition: Definition, item: Item) -> Iterator[Item]:
    for member in _members(definition, item):
        yield member
        yield from _below(definition, member)


def _label(definition: Definition, item: Item) -> str:
    more = [
        word for word in ("optional" if item.optional else "", "repeated" * (item.key in definition.repeats)) if word
    ]
    if item.when is not None:
        more.append(f"if {_short(item.when.source)}")
    return _title(definition, item.title) + (f" ({', '.join(more)})" if more else "")


def _title(definition: Definition, title: dict[str, str]) -> str:
    return title.get(definition.locales[0]) or next(iter(title.values()))


def _time(duration: Duration) -> str:
    hours = duration.business_hours
    count, what = (hours, "working hour") if hours is not None else (duration.business_days or 0, "working day")
    return f"{count} {what}{'' if count == 1 else 's'}"


def _short(source: str) -> str:
    words = " ".join(source.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _name(key: str) -> str:
    return key.replace(".", "_")


def _quoted(text: str) -> str:
    """A label for Graphviz."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _labelled(text: str) -> str:
    """A label for Mermaid, which writes its own signs as codes."""
    codes = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "}
    return '"' + "".join(codes.get(sign, sign) for sign in text) + '"'
