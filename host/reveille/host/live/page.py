"""The page: shows snapshots of a session and hands on what is typed. NiceGUI pushes the changes."""

import contextlib
import logging
import socket
import warnings
from collections.abc import Callable
from html import escape
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import ui

from reveille.hdl.errors import ReveilleError
from reveille.host.live import plots, view
from reveille.host.live.guard import FIELD, Guard
from reveille.host.live.operating_point import Control, OperatingPoint
from reveille.host.live.session import LiveSession
from reveille.host.live.snapshot import Snapshot

FLOW_S = 0.1
"""Time between two pictures of the ECG."""

COUNT_S = 0.4
"""Time between two readings of the figures and the operating point that they belong to."""

SPEED = "speed"
"""The field that is not of the operating point."""

BLUE = "#0072B2"
"""Okabe and Ito's; white on it is read easily (contrast 5.2)."""

STYLE = Path(__file__).with_name("page.css")


def serve(session: LiveSession, listening: socket.socket, token: str | None) -> None:
    """Serve a session's page until Ctrl-C.

    Args:
        session: What is shown.
        listening: Socket that listens.
        token: What browsers have to show; None where only this machine is served.
    """
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    ui.run_with(
        application,
        root=lambda: _page(session),
        title=f"Reveille: {session.title}",
        show_welcome_message=False,
    )
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    # NiceGUI looks at every object there is for its server; one of torch's complains when touched.
    warnings.filterwarnings("ignore", "`torch.distributed", FutureWarning)
    guarded = Guard(application, token)
    configuration = uvicorn.Config(guarded, log_level="error", timeout_graceful_shutdown=1)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(configuration).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ReveilleError: The address cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        # Python appends what was attempted, which the sentence tells already.
        reason = str(getattr(error, "strerror", error)).split(" (while")[0]
        raise ReveilleError(
            f"The page cannot be served at {host}, port {port} ({reason}); "
            "choose another --host or --page-port (0 takes a free one)."
        ) from error


def address(listening: socket.socket, token: str | None) -> str:
    """Return what to open in a browser."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    if host in ("0.0.0.0", "::"):
        shown = socket.gethostname()
    return f"http://{shown}:{port}/" + (f"?{FIELD}={token}" if token else "")


def _page(session: LiveSession) -> None:
    """Build the page of one browser."""
    ui.add_css(STYLE.read_text())
    ui.colors(primary=BLUE)
    with ui.element("main").classes("live"):
        with ui.element("header"):
            ui.html(f"Reveille live: {escape(session.title)}", sanitize=False, tag="h1")
            status = ui.label().props("id=status")
            trouble = ui.html(sanitize=False).props("role=alert")
        with ui.element("div").classes("plots"):
            tiles = ui.html(sanitize=False)
            trace = ui.html(sanitize=False)
            ui.html(plots.legend(), sanitize=False)
            history = ui.html(sanitize=False)
        controls = Controls(session)
        with ui.element("div").classes("table"):
            figures = ui.html(sanitize=False)
            notes = ui.html(sanitize=False).props("aria-live=polite")

    def flow() -> None:
        snapshot = session.snapshot()
        status.text = view.status_text(snapshot)
        trouble.content = view.trouble_html(snapshot)
        trace.content = plots.trace_html(snapshot.trace)

    def count() -> None:
        snapshot = session.snapshot()
        tiles.content = view.tiles_html(snapshot)
        history.content = plots.history_html(snapshot.history)
        figures.content = view.figures_html(snapshot)
        notes.content = view.notes_html(snapshot.notes)
        controls.follow(snapshot)

    for draw, every_s in ((flow, FLOW_S), (count, COUNT_S)):
        draw()
        ui.timer(every_s, draw)


class Controls:
    """The fields and buttons of one browser: Enter in a field, or a button, sends what is typed.

    Args:
        session: What is steered.
    """

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._fields: dict[str, ui.input] = {}
        snapshot = session.snapshot()
        self._shown = _texts(snapshot)
        with ui.element("section").classes("controls").props('aria-label="Controls"'):
            ui.html("Operating point", sanitize=False, tag="h2")
            if session.steering is not None:
                with ui.element("div").classes("fields"):
                    for control in session.steering.controls:
                        field = _field(control, self._shown[control.name])
                        self._fields[control.name] = field.on("keydown.enter", self._apply)
                with ui.element("div").classes("buttons"):
                    ui.button("Apply", on_click=self._apply).props('id="apply" no-caps')
                    _button("As fitted", self._as_fitted)
            self._said = ui.label().classes("said").props('id="said" role="alert"')
            self._point = ui.label().props("id=point")
            ui.html("Pace", sanitize=False, tag="h2")
            with ui.element("div").classes("fields"):
                self._speed = ui.input("Speed (times life)", value=self._shown[SPEED])
                self._speed.props('outlined dense for="speed" hint="0.1 to 10000; 1: as in life"')
                self._speed.on("keydown.enter", self._set_speed)
            with ui.element("div").classes("buttons"):
                _button("Set speed", self._set_speed)
                self._hold = _button("Pause", self._pause)

    def follow(self, snapshot: Snapshot) -> None:
        """Show what another browser changed; what is being typed in this one stays."""
        self._point.text = view.point_text(snapshot.point)
        self._hold.text = _hold_text(snapshot.paused)
        texts = _texts(snapshot)
        if texts == self._shown:
            return
        for name, field in {**self._fields, SPEED: self._speed}.items():
            if field.value == self._shown[name]:
                field.value = texts[name]
        self._shown = texts

    def _tell(self, act: Callable[[], str]) -> None:
        try:
            self._said.text = act()
            self._said.classes(remove="refused")
        except ReveilleError as error:
            self._said.text = f"⚠ {error}"
            self._said.classes(add="refused")

    def _apply(self) -> None:
        texts = {name: str(field.value or "") for name, field in self._fields.items()}

        def change() -> str:
            self._session.change(texts)
            return "Sent; it holds from the next beats on."

        self._tell(change)

    def _as_fitted(self) -> None:
        assert self._session.steering is not None
        for name, text in _point_texts(self._session.steering.fitted).items():
            self._fields[name].value = text
        self._apply()

    def _set_speed(self) -> None:
        speed = str(self._speed.value or "")
        self._tell(lambda: f"The speed is {self._session.set_speed(speed):g} times life.")

    def _pause(self) -> None:
        paused = not self._session.snapshot().paused
        self._session.pause(paused)
        self._hold.text = _hold_text(paused)


def _hold_text(paused: bool) -> str:
    return "Go on" if paused else "Pause"


def _button(text: str, act: Callable[[], None]) -> ui.button:
    return ui.button(text, on_click=act).props("outline no-caps")


def _field(control: Control, text: str) -> ui.input:
    field = ui.input(control.label, value=text)
    field.props(f'outlined dense for="{control.name}"')
    hint = control.hint
    if control.unavailable:
        field.props("readonly")
        hint = f"Cannot be changed: {control.unavailable}"
    field.props["hint"] = hint
    return field


def _texts(snapshot: Snapshot) -> dict[str, str]:
    """Return what stands in the fields at a moment."""
    point = {} if snapshot.point is None else _point_texts(snapshot.point)
    return {**point, SPEED: f"{snapshot.speed:g}"}


def _point_texts(point: OperatingPoint) -> dict[str, str]:
    return {name: "" if value is None else f"{value:g}" for name, value in vars(point).items()}
