"""Commands and payloads of the link as Markdown: ``python -m reveille.hdl.link.tables``."""

import ast
import inspect
import sys
from enum import IntEnum

from reveille.hdl.link.contract import (
    DECISION,
    HELLO_REPLY,
    HELLO_REQUEST,
    LIKELIHOODS_REQUEST,
    MEMORY_REQUEST,
    REGISTER_WRITE,
    SELF_TEST_REPLY,
    SELF_TEST_REQUEST,
    STREAM_REPLY,
    STREAM_REQUEST,
    Command,
    LinkRegister,
    MemorySpace,
    Status,
)

ENUMERATIONS: dict[str, type[IntEnum]] = {
    "Commands": Command,
    "Statuses": Status,
    "Registers of the link": LinkRegister,
    "Memory spaces": MemorySpace,
}
LAYOUTS = {
    "Hello, request": HELLO_REQUEST,
    "Hello, reply": HELLO_REPLY,
    "Write registers, each item": REGISTER_WRITE,
    "Write likelihoods, head; a byte a word follows": LIKELIHOODS_REQUEST,
    "Self-test, each item of the request": SELF_TEST_REQUEST,
    "Self-test, each item of the reply": SELF_TEST_REPLY,
    "Write memory, head; 4 bytes a word follow": MEMORY_REQUEST,
    "Stream, head of the request; beats and decisions follow": STREAM_REQUEST,
    "Stream, head of the reply; records and decisions follow": STREAM_REPLY,
    "A decision": DECISION,
}


def meanings(enumeration: type[IntEnum]) -> dict[str, str]:
    """Return the text under each member in the contract's source."""
    (definition,) = ast.parse(inspect.getsource(enumeration)).body
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for member, text in zip(definition.body, definition.body[1:], strict=False):
        match member, text:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(meaning))),
            ):
                texts[name] = " ".join(inspect.cleandoc(meaning).replace("``", "`").split())
    return texts


def link_tables() -> str:
    """Return all tables, ending in a newline."""
    parts = []
    for title, enumeration in ENUMERATIONS.items():
        texts = meanings(enumeration)
        rows = [f"| `0x{m.value:02X}` | `{m.name}` | {texts[m.name]} |" for m in enumeration]
        parts.append(
            "\n".join([f"### {title}\n", "| code | name | meaning |", "|---|---|---|", *rows])
        )
    for title, layout in LAYOUTS.items():
        rows = [f"| `{name}` | {size} | {meaning} |" for name, size, meaning in layout]
        parts.append(
            "\n".join([f"### {title}\n", "| field | bytes | meaning |", "|---|---|---|", *rows])
        )
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(link_tables())
