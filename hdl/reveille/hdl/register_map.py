"""The register map as a Markdown table: ``python -m reveille.hdl.register_map``."""

import ast
import inspect
import sys

from reveille.hdl.contract import Register


def register_meanings() -> dict[Register, str]:
    """Return the first paragraph of the text under each register in the contract's source."""
    (definition,) = ast.parse(inspect.getsource(Register)).body
    assert isinstance(definition, ast.ClassDef)
    meanings = {}
    for member, text in zip(definition.body, definition.body[1:], strict=False):
        match member, text:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(meaning))),
            ):
                paragraph = inspect.cleandoc(meaning).split("\n\n")[0]
                meanings[Register[name]] = " ".join(paragraph.replace("``", "`").split())
    return meanings


def register_table() -> str:
    """Return the register map, one line a register, ending in a newline."""
    meanings = register_meanings()
    lines = ["| address | register | meaning |", "|---|---|---|"]
    lines += [
        f"| `0x{register:02X}` | `{register.name}` | {meanings[register]} |"
        for register in Register
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(register_table())
