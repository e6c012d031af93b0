"""Ports that lead to a board made of arithmetic, in a time of their own."""

from reveille.host.board.port import PortError
from reveille.sim.link.device import LinkDevice


class DevicePort:
    """A port with a device behind it, which answers at once.

    Attributes:
        dead: Nothing comes from the board any more.
        gone: The port is unplugged.
    """

    name = "device"

    def __init__(self, device: LinkDevice) -> None:
        self.device = device
        self.dead = self.gone = False
        self.time_s = 0.0
        self._coming = b""

    def read(self, timeout_s: float) -> bytes:
        if self.gone:
            raise PortError("The port device is gone; plug the board in again.")
        data, self._coming = self._coming, b""
        self.time_s += 1e-3 if data else timeout_s
        return data

    def write(self, data: bytes) -> None:
        if self.gone:
            raise PortError("The port device is gone; plug the board in again.")
        answer = self.device.receive(data)
        if not self.dead:
            self._coming += answer

    def now(self) -> float:
        return self.time_s

    def close(self) -> None:
        pass


class ScriptedPort:
    """A port that answers what it is told to, whatever it is asked."""

    name = "script"

    def __init__(self, answer: bytes | None) -> None:
        self.answer, self.time_s, self._coming = answer, 0.0, b""

    def read(self, timeout_s: float) -> bytes:
        data, self._coming = self._coming, b""
        self.time_s += 1e-3 if data else timeout_s
        return data

    def write(self, data: bytes) -> None:
        self._coming += data if self.answer is None else self.answer

    def now(self) -> float:
        return self.time_s

    def close(self) -> None:
        pass
