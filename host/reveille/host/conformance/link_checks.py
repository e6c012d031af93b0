"""Checks of the link: what a board does with good requests, bad ones, and damaged lines."""

from reveille.hdl.contract import IDENTITY_WORD, Register
from reveille.hdl.link.contract import (
    REGISTER_WRITE,
    STREAM_REPLY,
    STREAM_REQUEST,
    VALUE,
    Command,
    LinkRegister,
    Status,
    beat_bytes,
)
from reveille.hdl.link.frames import DELIMITER, LONGEST_PAYLOAD, Frame
from reveille.host.board.client import BoardClient
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.noise import NoisyPort
from reveille.host.board.stream import BeatStream
from reveille.host.conformance.bench import (
    Bench,
    CheckError,
    RawLine,
    expect,
    expect_equal,
    expect_outcomes,
)
from reveille.sim.twin import TwinFrontEnd

POLLS = 200
"""A board that has not recorded a beat after so many questions will not."""

NOISE = 1e-3
"""Share of bytes damaged in the check of a bad line."""


def hello(bench: Bench) -> None:
    """A hello tells versions, build and the session before."""
    with bench.client() as first:
        expect_equal("the identity", first.read_register(Register.IDENTITY), IDENTITY_WORD)
        session = first.session
        expect_equal("the session in force", first.read_register(LinkRegister.SESSION), session)
    with bench.client() as second:
        expect_equal("the session before", second.previous_session, session)
        expect_equal("the build", second.board, bench.board)


def echo(bench: Bench) -> None:
    """Payloads of all lengths and all bytes come back as they are."""
    everything = bytes(range(256))
    payloads = [everything[:LONGEST_PAYLOAD], everything[-LONGEST_PAYLOAD:]]
    payloads += [bytes(LONGEST_PAYLOAD), b"\xff" * LONGEST_PAYLOAD, b"", b"\0"]
    payloads += [bench.rng.bytes(int(n)) for n in bench.rng.integers(1, LONGEST_PAYLOAD, 10)]
    with bench.client() as client:
        for payload in payloads:
            expect(client.echo(payload) == payload, f"{len(payload)} bytes come back changed")


def registers(bench: Bench) -> None:
    """Policy registers hold what is written; others do not."""
    machine = bench.board.machine
    widths = {
        Register.BUDGET: machine.word_bits,
        Register.RACE_COUNT: machine.word_bits,
        Register.THRESHOLD: machine.word_bits,
        Register.NORMAL_MASK: machine.rows,
        Register.AUDIT_RATE: 16,
        Register.MODE: 1,
        Register.RESEED: 1,
    }
    with bench.client() as client:
        client.restart()
        for word in (0xFFFF_FFFF, 0x5555_5555, 0xAAAA_AAAA):
            client.write_registers([(register, word) for register in widths])
            held = client.read_registers(list(widths))
            for (register, width), value in zip(widths.items(), held, strict=True):
                expect_equal(register.name, value, word & ((1 << width) - 1))
        client.write_registers([(Register.IDENTITY, 1), (Register.INFERENCES, 7), (0x7F, 7)])
        found = client.read_registers([Register.IDENTITY, Register.INFERENCES, 0x7F])
        expect_equal("what nobody may write", found, [IDENTITY_WORD, 0, 0])


def restart(bench: Bench) -> None:
    """A restart brings the registers back to their reset values, not the session."""
    with bench.front_end(bench.configuration()) as board:
        board.infer(bench.stimuli(20))
        client = board.client
        client.restart()
        values = client.read_registers(
            [Register.CONTROL, Register.BUDGET, Register.NORMAL_MASK, Register.INFERENCES]
        )
        expect_equal("registers after it", values, [0, bench.board.machine.period, 0, 0])
        positions = client.read_registers([LinkRegister.BEATS, LinkRegister.RECORDS])
        expect_equal("beats and records after it", positions, [0, 0])
        expect_equal("the session", client.read_register(LinkRegister.SESSION), client.session)


def repeated_request(bench: Bench) -> None:
    """A request that comes again is answered again and acted upon once."""
    with bench.raw() as line:
        line.ask(Command.RESTART)
        # A word moves the address on, so that it shows how often it was written.
        payload = REGISTER_WRITE.pack({"address": Register.LIKELIHOOD_WORD, "value": 7})
        write = line.frame(Command.WRITE_REGISTERS, payload)
        first = line.exchange(write.encode(), 1)
        again = line.exchange(write.encode() * 2, 2)
        expect(again == 2 * first, "its reply is not the first one again")
        line.number += 1
        expect_equal("words written", _read(line, Register.LIKELIHOOD_ADDRESS), 1)


def early_request(bench: Bench) -> None:
    """A request whose predecessor was lost is left alone; the latest reply comes again."""
    with bench.raw() as line:
        latest = line.ask(Command.ECHO, b"here")
        early = line.frame(Command.RESTART, ahead=1)
        expect_equal("the reply to it", line.exchange(early.encode(), 1), [latest])
        expect(_read(line, LinkRegister.EARLY_REQUESTS) >= 1, "EARLY_REQUESTS does not count it")


def damaged_frames(bench: Bench) -> None:
    """Frames that are damaged in any way are dropped, counted and not acted upon."""
    with bench.raw() as line:
        line.ask(Command.RESTART)
        line.ask(Command.WRITE_REGISTERS, bytes([LinkRegister.CLEAR_ERRORS, 0, 0, 0, 0]))
        good = bytearray(line.frame(Command.WRITE_REGISTERS, b"\x0b\x09\1\1\1").encode())
        flipped, short, doubled = bytearray(good), bytearray(good), bytearray(good)
        flipped[4] ^= 0x10
        del short[5]
        doubled[5:5] = doubled[5:6]
        for frame in (flipped, short, doubled, good[:-3] + DELIMITER, b"\x05abc" + DELIMITER):
            expect_equal("the reply to it", line.exchange(bytes(frame), 0), [])
        expect_equal("BAD_FRAMES", _read(line, LinkRegister.BAD_FRAMES), 5)
        expect_equal("the threshold", _read(line, Register.THRESHOLD), 1)


def refusals(bench: Bench) -> None:
    """What cannot be done is refused, and by the right name."""
    tested = Status.MALFORMED if bench.board.self_test else Status.UNKNOWN_COMMAND
    cases = (
        (0x7F, b"", Status.UNKNOWN_COMMAND),
        (Command.HELLO, bytes(4), Status.OUT_OF_RANGE),
        (Command.HELLO, bytes(3), Status.MALFORMED),
        (Command.READ_REGISTERS, bytes(63), Status.MALFORMED),
        (Command.WRITE_REGISTERS, bytes(9), Status.MALFORMED),
        (Command.WRITE_LIKELIHOODS, bytes(3), Status.MALFORMED),
        (Command.STREAM, bytes(8), Status.MALFORMED),
        (Command.STREAM, b"\x01" + bytes(8), Status.OUT_OF_RANGE),
        (Command.STREAM, bytes(9) + b"abcd", Status.MALFORMED),
        (Command.RESTART, b"\0", Status.MALFORMED),
        (Command.SELF_TEST, bytes(3), tested),
    )
    with bench.raw() as line:
        line.ask(Command.RESTART)
        for command, payload, status in cases:
            reply = line.ask(command, payload)
            name = f"the reply to {command:#04x} with {len(payload)} bytes"
            expect_equal(name, Status(reply.code), status)
        expect_equal("the reply afterwards", line.ask(Command.ECHO, b"well").payload, b"well")


def window(bench: Bench) -> None:
    """Beats beyond the window are refused whole; those within it are all kept."""
    most = bench.board.beat_window
    with bench.raw() as line:
        line.ask(Command.RESTART)
        size = beat_bytes(bench.board.machine)
        a_request = min(most, 255, (LONGEST_PAYLOAD - STREAM_REQUEST.size) // size)
        sent = 0
        while sent < most:
            count = min(a_request, most - sent)
            expect_equal("the reply", _stream(line, count, size).code, Status.OK)
            sent += count
        expect_equal("the reply to one more", _stream(line, 1, size).code, Status.NO_ROOM)
        expect_equal("BEATS", _read(line, LinkRegister.BEATS), most)


def stale_decision(bench: Bench) -> None:
    """A decision on a beat that is not in service is dropped and counted."""
    with bench.raw() as line:
        line.ask(Command.RESTART)
        line.ask(Command.WRITE_REGISTERS, bytes([LinkRegister.CLEAR_ERRORS, 0, 0, 0, 0]))
        line.ask(Command.STREAM, bytes(STREAM_REQUEST.size) + b"\x05\0\0\0\x01")
        expect_equal("STALE_DECISIONS", _read(line, LinkRegister.STALE_DECISIONS), 1)
        expect_equal("DECISIONS", _read(line, Register.DECISIONS), 0)


def host_that_comes_back(bench: Bench) -> None:
    """A new session gets all records that were not acknowledged, once more."""
    configuration = bench.configuration()
    beats = bench.stimuli(min(60, bench.board.beat_window // 2))
    expected = TwinFrontEnd(configuration).infer(beats)
    with bench.front_end(configuration) as board:
        board.infer(beats[:0])
    with bench.client() as client:
        stream = BeatStream(client)
        board = BoardFrontEnd(client, configuration, stream=stream)
        expect_outcomes(board.infer(beats), expected, "the first time")
        kept = client.read_register(LinkRegister.RECORDS_ACKNOWLEDGED)
        expect_equal("records acknowledged", kept, len(beats))
    with bench.raw() as line:
        reply = line.ask(Command.STREAM, STREAM_REQUEST.pack(_heads(len(beats))))
        head = STREAM_REPLY.unpack(reply.payload)
        expect_equal("records after all were acknowledged", head["records"], 0)
        beat = bytes(beat_bytes(bench.board.machine))
        first = _next_record(line, len(beats), beat)
    with bench.raw() as line:
        again = _next_record(line, len(beats))
        expect_equal("the record that was not acknowledged", again, first)


def bad_line(bench: Bench) -> None:
    """Over a line that damages bytes both ways, every beat is answered once."""
    configuration, beats = bench.configuration(), bench.stimuli()
    port = NoisyPort(bench.open_port(), NOISE, bench.rng)
    client = BoardClient(port)
    try:
        board, twin = BoardFrontEnd(client, configuration), TwinFrontEnd(configuration)
        expect_outcomes(board.infer(beats), twin.infer(beats), f"{port.damaged} bytes damaged")
        found = client.read_register(Register.INFERENCES)
        expect_equal("INFERENCES", found, len(beats))
    finally:
        client.close()


def _heads(records: int, beats: int = 0) -> dict[str, int]:
    return {"records": records, "decisions": 0, "beats": beats}


def _next_record(line: RawLine, acknowledged: int, beat: bytes = b"") -> bytes:
    """Send a beat, if there is one, and poll until a record has come; return its reply."""
    for _ in range(POLLS):
        head = STREAM_REQUEST.pack(_heads(acknowledged, len(beat) > 0))
        reply = line.ask(Command.STREAM, head + beat)
        expect_equal("the reply", Status(reply.code), Status.OK)
        beat = b""
        if STREAM_REPLY.unpack(reply.payload)["records"]:
            return reply.payload
    raise CheckError("no record comes")


def _stream(line: RawLine, beats: int, size: int) -> Frame:
    return line.ask(Command.STREAM, STREAM_REQUEST.pack(_heads(0, beats)) + bytes(beats * size))


def _read(line: RawLine, register: int) -> int:
    payload = line.ask(Command.READ_REGISTERS, bytes([register])).payload
    return int.from_bytes(payload[: VALUE.size], "little")
