"""The syntax of Liberty files: nested groups with attributes, whatever they mean."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from reveille.hdl.errors import ReveilleError

TOKENS = re.compile(
    r"""
    (?P<skip> \s+ | \\\r?\n | /\*.*?\*/ | //[^\n]* )
  | "(?P<string> (?:[^"\\] | \\.)* )"
  | (?P<mark> [(){}:;,] )
  | (?P<word> [^\s(){}:;,"\\]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
"""What a Liberty file is made of. A backslash only continues a line."""


class LibertyError(ReveilleError):
    """A Liberty file cannot be used; the text says why."""


@dataclass(frozen=True)
class Group:
    """A group: ``kind (arguments) { attributes and groups }``.

    Attributes:
        kind: Its name, such as ``cell`` or ``pin``.
        arguments: What stands in its parentheses.
        attributes: Simple attributes, and complex ones with their values joined by commas. Where
            one comes several times, a semicolon stands between.
        groups: The groups inside, in order.
    """

    kind: str
    arguments: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first argument, or nothing."""
        return self.arguments[0] if self.arguments else ""

    def named(self, *kinds: str) -> list["Group"]:
        """Return the groups of some kinds, in order."""
        return [group for group in self.groups if group.kind in kinds]

    def numbers(self, attribute: str) -> list[float]:
        """Return the numbers of an attribute, or none where it is missing."""
        return [float(number) for number in re.split(r"[\s,;]+", self.get(attribute)) if number]

    def number(self, attribute: str, default: float = 0.0) -> float:
        """Return a number."""
        text = self.attributes.get(attribute)
        return default if text is None else float(text)

    def get(self, attribute: str) -> str:
        """Return the text of an attribute, or nothing where it is missing."""
        return self.attributes.get(attribute, "")


def parse(text: str) -> Group:
    """Read the outermost group of a Liberty file.

    Raises:
        LibertyError: The text is not made of Liberty's groups.
    """
    reader = _Reader(list(_tokens(text))[::-1])
    root = Group("", ())
    while not root.groups:
        reader.statement(root)
    return root.groups[0]


def _tokens(text: str) -> Iterator[str]:
    """Yield words, marks and strings; a string keeps an opening quote to tell it from a mark."""
    position = 0
    while position < len(text):
        match = TOKENS.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise LibertyError(f"line {line} is not Liberty")
        position = match.end()
        if match.lastgroup == "string":
            yield '"' + re.sub(r"\\\s*", "", match["string"])
        elif match.lastgroup != "skip":
            yield match[0]


class _Reader:
    """Reads statements from tokens, which come last first."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def statement(self, parent: Group) -> None:
        """Read an attribute, or a group with all that is in it. A semicolon may be missing."""
        name = self._next()
        if name == ";":
            return
        if name in "(){}:,":
            raise LibertyError(f"'{name}' stands where a name should")
        mark = self._next()
        if mark == ":":
            parent.attributes[name] = self._value()
        elif mark == "(":
            self._group(name, parent)
        else:
            raise LibertyError(f"'{name}' is followed by '{mark.removeprefix(chr(34))}'")

    def _group(self, name: str, parent: Group) -> None:
        arguments = tuple(word for word in self._until(")") if word != ",")
        if self._tokens and self._tokens[-1] == "{":
            self._next()
            group = Group(name, arguments)
            parent.groups.append(group)
            while self._tokens and self._tokens[-1] != "}":
                self.statement(group)
            self._next()
        else:
            before = parent.attributes.get(name)
            joined = ", ".join(arguments)
            parent.attributes[name] = joined if before is None else f"{before}; {joined}"

    def _value(self) -> str:
        if self._tokens and self._tokens[-1].startswith('"'):
            return self._next()[1:]
        return " ".join(self._until(";"))

    def _until(self, mark: str) -> list[str]:
        """Take the words before a mark, strings without their quote, and the mark."""
        words = []
        while (word := self._next()) != mark:
            if word in "{};":
                raise LibertyError(f"'{word}' stands where '{mark}' should")
            words.append(word.removeprefix('"'))
        return words

    def _next(self) -> str:
        if not self._tokens:
            raise LibertyError("it ends too early")
        return self._tokens.pop()
