"""Signals inside an elaborated design, for the invariants of a proof.

A component shows only its ports. An induction must also know that, say, the pointers of a queue fit
its level. So a bench elaborates the design first, finds those signals by name, and goes on with the
elaborated design. The gateware does not change for it.
"""

from amaranth.hdl import Const, Elaboratable, Fragment, Signal, Value


class Opened(Elaboratable):
    """A design whose inner signals can be read by path: ``opened["controller.serving"]``.

    Args:
        design: The design; elaborated at once.
    """

    def __init__(self, design: Elaboratable) -> None:
        self._fragment = Fragment.get(design, None)

    def elaborate(self, platform: object) -> Fragment:
        """Return the design that was elaborated before."""
        return self._fragment

    def __getitem__(self, path: str) -> Signal:
        """Return the signal at a dotted path of submodule names.

        Raises:
            KeyError: The logic of that submodule drives no signal of that name, or several.
        """
        *submodules, name = path.split(".")
        # By identity: several statements may assign the same signal.
        driven = {
            id(signal): signal
            for statements in self._submodule(submodules).statements.values()
            for signal in statements._lhs_signals()
        }
        found = [signal for signal in driven.values() if signal.name == name]
        if len(found) != 1:
            names = sorted(signal.name for signal in driven.values())
            raise KeyError(f"{len(found)} signals {path!r}, not one; there are {names}")
        return found[0]

    def memory_word(self, path: str, address: Value) -> Signal:
        """Return a word of the memory at a dotted path, through a read port that this call adds."""
        memory = self._submodule(path.split("."))
        word = Signal(memory._data.shape, name=f"word_{len(memory._read_ports)}")
        memory.read_port(domain="comb", addr=address, data=word, en=Const(1), transparent_for=())
        return word

    def memory_output(self, path: str) -> Value:
        """Return what the first read port of the memory at a dotted path shows."""
        return self._submodule(path.split("."))._read_ports[0]._data

    def _submodule(self, names: list[str]) -> Fragment:
        """Return a submodule of a submodule of the design."""
        fragment = self._fragment
        for name in names:
            children = {child_name: child for child, child_name, _ in fragment.subfragments}
            if name not in children:
                raise KeyError(f"no submodule {name!r}; there are {sorted(children)}")
            fragment = children[name]
        return fragment
