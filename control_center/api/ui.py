"""The operator UI's files, built into operator_ui/dist. They hold no data, so they ask no right."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

UI_FOLDER = Path(__file__).parents[2] / "operator_ui" / "dist"
_API = ("/api/", "/internal/", "/healthz", "/metrics")
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Haechi</title>
<h1>Haechi</h1><p>The center runs, but the operator UI is not built. Build it with <code>make run</code>,
then load this page again. The API is described at
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p></html>"""


class UserInterface:
    """ASGI layer: GET outside the API gives a file of the UI, or its start page for the paths it makes up."""

    def __init__(self, app: ASGIApp, folder: Path = UI_FOLDER) -> None:
        self._app = app
        self._folder = folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and not scope["path"].startswith(_API)
        answer = self._answer(scope["path"]) if is_page else self._app
        await answer(scope, receive, send)

    def _answer(self, path: str) -> Response:
        start = self._folder / "index.html"
        if not start.is_file():
            return HTMLResponse(_NOT_BUILT, 200 if path == "/" else 404)
        file = (self._folder / path.lstrip("/")).resolve() if "\0" not in path else start
        if file.is_relative_to(self._folder) and file.is_file() and file != start:
            # Vite puts a hash of the content into the names below assets/.
            kept = "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"
            return FileResponse(file, headers={"Cache-Control": kept})
        if path.startswith("/assets/"):
            return Response("not found", 404, media_type="text/plain")
        return FileResponse(start, headers={"Cache-Control": "no-cache"})
