"""A site of the small release, a web server on this machine for it, and a browser."""

from __future__ import annotations

import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `headless_browser`

from headless_browser import CHROMIUM, Browser

from dataset_tools.browse.site import write_site


@pytest.fixture(scope="session")
def site(release, tmp_path_factory) -> Path:
    """The site of the four samples. Not to be changed: copy it."""
    out = tmp_path_factory.mktemp("looked-at") / "browse"
    write_site(release, out)
    return out


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="session")
def server(site):
    """The site's address on a web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}/"
        served.shutdown()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """The browser, started once."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here; on Debian or Ubuntu: apt-get install chromium")
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def browser(chromium):
    """The browser with a desktop's window; whatever its console said of errors fails the test."""
    chromium.errors.clear()
    chromium.asked.clear()
    chromium.window(1280, 800)
    chromium.still(True)
    yield chromium
    assert chromium.errors == []
