"""Who may come in, and who may not."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from reveille.host.live.guard import COOKIE, Guard, new_token

TOKEN = new_token()


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


APPLICATION = Starlette(
    routes=[
        Route("/", lambda request: PlainTextResponse("page")),
        WebSocketRoute("/socket", talk),
    ]
)


def browser(token: str | None, address: str) -> TestClient:
    return TestClient(Guard(APPLICATION, token), base_url=address)


def test_this_machine_needs_no_token() -> None:
    for name in ("127.0.0.1", "localhost", "[::1]"):
        client = browser(None, f"http://{name}:8080")
        answer = client.get("/")
        assert (answer.status_code, answer.text) == (200, "page")
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
        with client.websocket_connect("/socket", headers={"host": f"{name}:8080"}) as socket:
            assert socket.receive_text() == "hello"


def test_a_name_that_leads_here_is_refused() -> None:
    assert browser(None, "http://evil.example:8080").get("/").status_code == 403


def test_pages_of_other_sites_are_refused() -> None:
    client = browser(None, "http://127.0.0.1:8080")
    foreign = {"host": "127.0.0.1:8080", "origin": "http://evil.example"}
    assert client.get("/", headers=foreign).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/socket", headers=foreign):
        pass


def test_elsewhere_the_token_is_asked_for_once() -> None:
    client = browser(TOKEN, "http://lab.example:8080")
    asked = client.get("/")
    assert asked.status_code == 401
    assert "asks for a token" in asked.text
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/socket"):
        pass
    for wrong in ("", "x", TOKEN[:-1], "ü"):
        assert client.get("/", params={"token": wrong}).status_code == 401
    shown = client.get("/", params={"token": TOKEN}, follow_redirects=False)
    assert (shown.status_code, shown.headers["location"]) == (303, "/")
    kept = shown.headers["set-cookie"].lower()
    assert "httponly" in kept
    assert "samesite=strict" in kept
    assert client.get("/").text == "page"
    cookie = {"cookie": f"{COOKIE}={TOKEN}"}
    with client.websocket_connect("/socket", headers=cookie) as socket:
        assert socket.receive_text() == "hello"


def test_each_start_has_a_token_of_its_own() -> None:
    assert len({new_token() for _ in range(50)}) == 50
    assert len(new_token()) >= 22
