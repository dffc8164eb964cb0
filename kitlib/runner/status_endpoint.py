"""An extension of the Jupyter server: `kit/status` says what is being prepared, for the status bar (runner/jupyter/labextensions)."""

from __future__ import annotations

from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from kitlib.host import preparation


class StatusHandler(APIHandler):
    """Answers with `text`, for a person, and whether something is `running`."""

    @web.authenticated
    def get(self) -> None:
        """What is being prepared now; an empty text when nothing was prepared here."""
        found = preparation.look()
        self.finish({"text": f"kit: {found.told()}" if found else "", "running": bool(found and found.running)})


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    server.web_app.add_handlers(
        ".*$", [(url_path_join(server.web_app.settings["base_url"], "kit", "status"), StatusHandler)]
    )
