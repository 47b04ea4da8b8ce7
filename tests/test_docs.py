"""Every Python block of the documentation runs: those of a page in one namespace, in order.

``python tests/test_docs.py`` runs them in docs/, which draws the pictures there anew.
"""

import os
import re
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def run(page):
    """Run the blocks of a page one after the other; a failure names the page and the line."""
    text = page.read_text(encoding="utf-8")
    namespace = {"__name__": page.stem}
    for block in BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(1))
        exec(compile("\n" * lines_before + block[1], str(page), "exec"), namespace)


@each_page
def test_blocks(page, tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    monkeypatch.chdir(tmp_path)
    run(page)
    for picture in tmp_path.rglob("*.png"):
        assert picture.stat().st_size > 10_000


@each_page
def test_links(page):
    """Links to other files lead somewhere."""
    for target in LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        assert (page.parent / target).exists(), target


if __name__ == "__main__":
    os.chdir(ROOT / "docs")
    for page in PAGES:
        run(page)
