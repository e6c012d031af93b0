"""Boolean expressions of Liberty files: as Verilog, and on whole histories of signals at once."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.syntax import LibertyError

Bits = NDArray[np.uint64]
"""Values of a signal, a bit a sample."""

ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)

OPERATIONS: dict[str, Callable[[Bits, Bits], Bits]] = {
    "^": operator.xor,
    "&": operator.and_,
    "|": operator.or_,
}
"""Operations on two values, those that bind strongest first."""

SPELLINGS = {"*": "&", "+": "|", "&&": "&", "||": "|"}

TOKENS = re.compile(r"\s*(&&|\|\||[()!'^&|*+]|1'b[01]|[A-Za-z_][\w.\[\]]*|[01])")


@dataclass(frozen=True)
class Expression:
    """An expression, as a tree.

    Attributes:
        operation: A key of `OPERATIONS`, ``!``, or nothing for a signal or a constant.
        operands: What it combines.
        name: The signal, or the constant ``0`` or ``1``.
    """

    operation: str = ""
    operands: tuple["Expression", ...] = ()
    name: str = ""

    @property
    def signals(self) -> frozenset[str]:
        """Names of the signals in it."""
        if self.operation:
            return frozenset().union(*(operand.signals for operand in self.operands))
        return frozenset() if self.name in "01" else frozenset((self.name,))

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """Return its value in every sample.

        Args:
            values: Value of each signal, all of one shape.
        """
        if self.operation == "!":
            return ~self.operands[0].evaluate(values)
        if self.operation:
            first, second = (operand.evaluate(values) for operand in self.operands)
            return OPERATIONS[self.operation](first, second)
        if self.name in "01":
            some = next(iter(values.values()))
            return np.full_like(some, ONES if self.name == "1" else 0)
        return values[self.name]

    def verilog(self) -> str:
        """Return it in Verilog, for signals of one bit."""
        if self.operation == "!":
            return f"!{self.operands[0].verilog()}"
        if self.operation:
            first, second = (operand.verilog() for operand in self.operands)
            return f"({first} {self.operation} {second})"
        return f"1'b{self.name}" if self.name in "01" else self.name


def parse_expression(text: str) -> Expression:
    """Read an expression; a space between two operands is an AND.

    Raises:
        LibertyError: It is none.
    """
    tokens = _tokens(text)
    tree = _combined(tokens, list(OPERATIONS)[::-1])
    if tokens:
        raise LibertyError(f"the expression '{text}' cannot be read")
    return tree


def _tokens(text: str) -> list[str]:
    """Split an expression; the tokens come last first, to be popped."""
    tokens, position, text = [], 0, text.strip()
    while position < len(text):
        match = TOKENS.match(text, position)
        if match is None:
            raise LibertyError(f"the expression '{text}' cannot be read")
        tokens.append(SPELLINGS.get(match[1], match[1]))
        position = match.end()
    return tokens[::-1]


def _combined(tokens: list[str], operations: list[str]) -> Expression:
    """Read operands joined by the first of the operations, or by those that bind stronger."""
    if not operations:
        return _operand(tokens)
    symbol, *stronger = operations
    tree = _combined(tokens, stronger)
    while tokens:
        if tokens[-1] == symbol:
            tokens.pop()
        elif symbol != "&" or tokens[-1] in (*OPERATIONS, ")"):
            break
        tree = Expression(symbol, (tree, _combined(tokens, stronger)))
    return tree


def _operand(tokens: list[str]) -> Expression:
    if not tokens:
        raise LibertyError("an expression ends too early")
    token = tokens.pop()
    if token == "!":
        return Expression("!", (_operand(tokens),))
    if token == "(":
        tree = _combined(tokens, list(OPERATIONS)[::-1])
        if not tokens or tokens.pop() != ")":
            raise LibertyError("an expression lacks a ')'")
    elif token in (*OPERATIONS, ")", "'"):
        raise LibertyError(f"'{token}' stands where a signal should in an expression")
    else:
        tree = Expression(name=token[-1] if token.startswith("1'b") else token)
    while tokens and tokens[-1] == "'":
        tokens.pop()
        tree = Expression("!", (tree,))
    return tree
