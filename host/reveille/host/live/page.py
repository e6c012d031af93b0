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
from reveille.host.live import view
from reveille.host.live.guard import FIELD, Guard
from reveille.host.live.operating_point import Control, OperatingPoint
from reveille.host.live.session import LiveSession, Snapshot, State

REFRESH_S = 0.2
"""Time between two pictures."""

REPLAYED = "A finished run: what was measured stays."

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
        reason = error.strerror if isinstance(error, OSError) else error
        raise ReveilleError(
            f"The page cannot be served at {host}, port {port} ({reason}); "
            "choose another --host or --page-port."
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
    with ui.element("main").classes("live column"):
        ui.html(f"Reveille live: {escape(session.title)}", sanitize=False, tag="h1")
        status = ui.label().props("role=status aria-live=off")
        trace = ui.html(sanitize=False).classes("wide")
        ui.html(view.legend(), sanitize=False)
        history = ui.html(sanitize=False).classes("wide")
        figures = ui.html(sanitize=False).classes("wide")
        _controls(session)
        point = ui.label().props("id=point")
        notes = ui.html(sanitize=False).props("aria-live=polite")

    def refresh() -> None:
        snapshot = session.snapshot()
        status.text = view.status_text(snapshot)
        trace.content = view.trace_html(snapshot.trace)
        history.content = view.history_html(snapshot.history)
        figures.content = view.figures_html(snapshot)
        point.text = view.point_text(snapshot.point)
        notes.content = view.notes_html(snapshot.notes)

    refresh()
    ui.timer(REFRESH_S, refresh)


def _controls(session: LiveSession) -> None:
    """Build the fields: Enter in one, or the button, applies them all."""
    ui.html("Operating point", sanitize=False, tag="h2")
    snapshot = session.snapshot()
    fields: dict[str, ui.input] = {}

    def told(act: Callable[[], str]) -> None:
        try:
            said.text = act()
        except ReveilleError as error:
            said.text = str(error)

    def apply() -> str:
        texts = {name: str(field.value or "") for name, field in fields.items()}
        changed = session.change(texts)
        return view.point_text(changed).replace("Now:", "Changed to:")

    def fitted() -> str:
        assert session.steering is not None
        for name, text in _texts(session.steering.fitted).items():
            fields[name].value = text
        return apply()

    def pace() -> str:
        return f"The speed is {session.set_speed(str(speed.value)):g} times life."

    def pause() -> str:
        going = session.snapshot().state is State.RUNNING
        session.pause(going)
        hold.text = "Go on" if going else "Pause"
        return "Paused." if going else "Going on."

    with ui.element("div").classes("controls"):
        if session.steering is not None and snapshot.point is not None:
            texts = _texts(snapshot.point)
            for control in session.steering.controls:
                fields[control.name] = _field(control, texts[control.name])
                fields[control.name].on("keydown.enter", lambda: told(apply))
        speed = ui.input("Speed (times life)", value=_speed(snapshot))
        speed.props('outlined dense for="speed" hint="1: as in life"')
        speed.on("keydown.enter", lambda: told(pace))
    with ui.row():
        if fields:
            ui.button("Apply", on_click=lambda: told(apply)).props('id="apply" no-caps')
            ui.button("As fitted", on_click=lambda: told(fitted)).props("outline no-caps")
        ui.button("Set speed", on_click=lambda: told(pace)).props("outline no-caps")
        hold = ui.button("Pause", on_click=lambda: told(pause)).props("outline no-caps")
    said = ui.label("" if fields else REPLAYED).classes("said").props('id="said" role="alert"')


def _field(control: Control, text: str) -> ui.input:
    field = ui.input(control.label, value=text)
    field.props(f'outlined dense for="{control.name}"')
    hint = control.hint
    if control.unavailable:
        field.props("readonly")
        hint = f"Cannot be changed: {control.unavailable}"
    field.props["hint"] = hint
    return field


def _texts(point: OperatingPoint) -> dict[str, str]:
    return {name: "" if value is None else f"{value:g}" for name, value in vars(point).items()}


def _speed(snapshot: Snapshot) -> str:
    return f"{snapshot.speed:g}"
