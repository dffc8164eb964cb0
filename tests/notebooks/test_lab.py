"""`./kit lab` in a real browser: two chapters run to the end, an exercise's buttons clicked."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from kitlib import exercises, paths
from kitlib.claims import register as claims
from kitlib.cluster.bound import Cluster
from kitlib.exercises import record
from tests.notebooks.answers import solve

BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
CHAPTER_MS = 240_000
CLICK_MS = 60_000
ENDED = 60  # seconds


@contextmanager
def _started() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`./kit lab` beside the block, and the address that it prints, token included."""
    environment = {**os.environ, "CI": "1"}  # no window is opened
    argv = [sys.executable, "-m", "kitlib", "lab"]
    with subprocess.Popen(argv, env=environment, cwd=paths.ROOT, stderr=subprocess.PIPE, text=True) as lab:
        seen = []
        for line in lab.stderr or ():
            seen.append(line)
            if found := re.search(r"http://127\.0\.0\.1\S+", line):
                yield lab, found[0]
                break
        else:
            raise AssertionError("".join(seen))


@pytest.fixture(scope="module")
def lab(cluster: Cluster) -> Iterator[str]:
    """Its address; it ends with the tests."""
    before = {file: file.read_bytes() for file in (paths.ROOT / "notebooks").glob("*.ipynb")}
    progress = record.FILE.path
    checks = progress.read_bytes() if progress.exists() else b"{}"
    with _started() as (process, address):
        yield address
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=ENDED)
    for file, content in before.items():
        file.write_bytes(content)  # JupyterLab saves what was run
    progress.write_bytes(checks)  # the pressed buttons are no progress of a learner
    assert cluster.identity


@pytest.fixture
def page(lab: str, tmp_path: Path) -> Iterator[Page]:
    """A page of a fresh browser."""
    browser_path = next((b for b in BROWSERS if Path(b).exists()), None)
    assert browser_path, "the browser tests need Chromium: install the package chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
        opened = browser.new_page(viewport={"width": 1400, "height": 1000})
        yield opened
        opened.screenshot(path=_shots(tmp_path) / "last.png")
        browser.close()
    assert lab


def _shots(default: Path) -> Path:
    """Where screenshots go: KIT_SCREENSHOTS, to be looked at, or a temporary folder."""
    folder = Path(os.environ.get("KIT_SCREENSHOTS") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run_all(page: Page, lab: str, chapter: str) -> None:
    """Open a chapter, run all its cells, and wait until the kernel has run the last one."""
    page.goto(lab.replace("0-start.ipynb", f"{chapter}.ipynb") + "&reset")
    last = page.locator(f"{PANEL} .jp-CodeCell").last
    last.wait_for(state="attached", timeout=CLICK_MS)
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=CLICK_MS)
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).click()
    expect(last.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=CHAPTER_MS)


def test_start_in_the_browser(page: Page, lab: str, tmp_path: Path, cluster: Cluster) -> None:
    """0-start runs to its end, and the status bar says what is ready; the exercise's buttons check, show the solution, and reset."""
    exercises.exercise("0-start/hello").reset()
    _run_all(page, lab, "0-start")
    page.screenshot(path=_shots(tmp_path) / "0-start.png")

    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    expect(page.locator("#jp-main-statusbar")).to_contain_text("chapters are ready", timeout=CLICK_MS)

    panel = page.locator(".jp-OutputArea-output", has=page.get_by_role("button", name="Check")).last
    panel.get_by_role("button", name="Check").click()
    expect(panel).to_contain_text("not attempted", timeout=CLICK_MS)
    solve("0-start/hello", cluster)
    panel.get_by_role("button", name="Check").click()
    expect(panel).to_contain_text("passed", timeout=CLICK_MS)
    panel.get_by_role("button", name="Solution").click()
    expect(panel).to_contain_text("kubectl create deployment", timeout=CLICK_MS)
    panel.get_by_role("button", name="Reset").click()
    expect(panel).to_contain_text("not attempted", timeout=CLICK_MS)


def test_a_killed_lab_takes_its_server_with_it(cluster: Cluster) -> None:
    """No JupyterLab is left behind."""
    with _started() as (process, _):
        servers = [c for c in psutil.Process(process.pid).children() if "jupyterlab" in c.cmdline()]
        process.kill()
        left = psutil.wait_procs(servers, timeout=ENDED)[1]

    assert cluster.identity
    assert (len(servers), left) == (1, [])


CHAPTER = "2.1-docker-concepts"  # has plots, a drawing and exercises, and takes less time than others
CLAIMS = [c for c in claims.register() if c.chapter == CHAPTER]


def test_a_chapter_in_the_browser(page: Page, lab: str, tmp_path: Path) -> None:
    """It runs to its end and shows its verdicts with their plots, the picture of the layers, and no error."""
    _run_all(page, lab, CHAPTER)
    page.screenshot(path=_shots(tmp_path) / f"{CHAPTER}.png")
    text = page.locator(PANEL).text_content() or ""

    assert page.locator(f"{PANEL} figure svg").count() >= len(CLAIMS)
    assert "Traceback" not in text
    assert [c.id for c in CLAIMS if c.id not in text] == []
    assert page.locator(f"{PANEL} svg[aria-label*='the newest first']").count() == 1
