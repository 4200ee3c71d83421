"""What makes the site of the tree: `tools/site/`, each part alone, with something wrong planted."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from base64 import b64encode
from pathlib import Path

import nbformat
import pytest

from tools.notebooks import ROOT
from tools.site.__main__ import build_wheel, packages
from tools.site.finish import finish, first, policy, scripts
from tools.site.licences import page as licence_page
from tools.site.links import faults
from tools.site.stage import TRY, described, download, led, notebook, stage

LOCKS = [ROOT / "tests" / "browser" / "package-lock.json", ROOT / "web" / "package-lock.json"]
PLACES = {ROOT.name, "lectures", "micrograd"}
HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title></head>'


def saved(folder: Path, **pages: str) -> Path:
    for name, body in pages.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".html").write_text(f"{HEAD}<body>{body}</body></html>", "utf-8")
    return folder


# --- links ----------------------------------------------------------------------------------------


def test_links_that_lead_somewhere_are_no_fault(tmp_path: Path) -> None:
    site = saved(
        tmp_path,
        index='<a href="a/b.html#here">b</a> <a href="a/">a</a> <a href="https://x.org/y">x</a>',
        a__index='<a href="../index.html">up</a> <img src="data:image/png;base64,AA">',
        a__b='<h2 id="here">here</h2> <a href="#here">here</a> <a href="#">top</a>',
    )
    assert faults(site) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="absent.html">x</a>', "leads to no file"),
        ('<a href="index.html#absent">x</a>', "leads to no place"),
        ('<a href="#absent">x</a>', "leads to no place"),
        ('<a href="/index.html">x</a>', "below a path"),
        ('<a href="../outside.html">x</a>', "leads to no file"),
        ('<a href="javascript:alert(1)">x</a>', "is no link"),
        ('<img src="https://example.org/a.png">', "fetches https://example.org/a.png"),
        ('<script src="//example.org/a.js"></script>', "fetches //example.org/a.js"),
        ('<link rel="stylesheet" href="https://example.org/a.css">', "fetches"),
        ('<p onclick="alert(1)">x</p>', "a script in an attribute"),
        ("<iframe srcdoc=\"&lt;img src='https://example.org/a.png'&gt;\"></iframe>", "fetches"),
    ],
)
def test_each_kind_of_wrong_link_is_found(body: str, fault: str, tmp_path: Path) -> None:
    (tmp_path.parent / "outside.html").write_text(HEAD, "utf-8")
    found = faults(saved(tmp_path, index=body))
    assert len(found) == 1 and fault in found[0] and found[0].startswith("index.html"), found


# --- policy, manifest, worker ---------------------------------------------------------------------


def test_the_policy_names_each_script_of_a_page_and_of_its_frames_by_its_content() -> None:
    inner = "&lt;script&gt;in the frame&lt;/script&gt;"
    text = (
        '<script>on the page</script><script src="a.js"></script>'
        f'<iframe srcdoc="{inner}"></iframe>'
        '<script type="application/json">{"not": "a script"}</script>'
    )
    assert scripts(text) == ["on the page", "in the frame"]
    for script in ("on the page", "in the frame"):
        digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy(text)
    assert "unsafe-inline" not in policy(text).partition("script-src")[2].partition(";")[0]


def test_a_finished_page_has_its_policy_before_anything_that_it_loads(tmp_path: Path) -> None:
    site = saved(tmp_path, index="<script>1</script>", deep__page="x", playground__index="x")
    (site / "_static").mkdir()
    (site / "_static" / "icon.svg").write_text(
        (ROOT / "docs" / "site" / "static" / "icon.svg").read_text("utf-8"), "utf-8"
    )
    finish(site)
    text = (site / "deep" / "page.html").read_text("utf-8")
    assert text.index("Content-Security-Policy") < text.index("<title>")
    assert 'href="../manifest.webmanifest"' in text
    manifest = json.loads((site / "manifest.webmanifest").read_text("utf-8"))
    assert (site / manifest["start_url"]).exists()
    for icon in manifest["icons"]:
        assert (site / icon["src"]).read_bytes().startswith(b"\x89PNG")

    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    finish(site)  # a second time changes nothing
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before

    worker = (site / "sw.js").read_text("utf-8")
    now, later = (json.loads(f) for f in re.findall(r"^const \w+ = (\{.*\});$", worker, re.M))
    assert set(now) | set(later) == {
        p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file() and p.name != "sw.js"
    }
    for name, digest in {**now, **later}.items():
        assert digest == b64encode(hashlib.sha256((site / name).read_bytes()).digest()).decode()
    assert "deep/page.html" in later and "index.html" in now


def test_what_the_first_pages_load_is_kept_with_them(tmp_path: Path) -> None:
    site = saved(
        tmp_path,
        index='<script src="s.js?v=1"></script><link rel="stylesheet" href="deep/s.css">'
        '<a href="other.html">no</a>',
        other='<img src="other.png">',
    )
    (site / "deep").mkdir()
    for name in ("s.js", "deep/s.css", "other.png"):
        (site / name).write_text("")
    assert first(site) == {"index.html", "s.js", "deep/s.css"}


def test_a_page_without_a_charset_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "index.html").write_text("<!doctype html><title>x</title>", "utf-8")
    with pytest.raises(ValueError, match=r"index\.html: a page says its charset"):
        finish(tmp_path)


# --- pages ----------------------------------------------------------------------------------------


def test_a_picture_is_described_by_the_titles_and_axes_of_its_code() -> None:
    code = (
        'axis.set(xlabel="steps", ylabel="loss $J$")\n'
        'axis.set_title("J never rises")\nplt.suptitle(f"{n} runs")\n'
    )
    assert described(code, "4. Lloyd") == "Plot: J never rises; steps across; loss J up"
    assert described("plt.plot([1])", "4. Lloyd") == "Plot: 4. Lloyd"
    assert described("%matplotlib inline", "4. Lloyd") == "Plot: 4. Lloyd"


def test_a_notebook_as_a_page_has_one_title_and_folds_what_jupyter_folds(tmp_path: Path) -> None:
    cells = [
        nbformat.v4.new_markdown_cell("# Lecture\n\n## 1. A\n"),
        nbformat.v4.new_markdown_cell('<a id="part-1"></a>\n# Part one\n\n## 2. B\n'),
        nbformat.v4.new_code_cell("1", metadata={"jupyter": {"source_hidden": True}}),
        nbformat.v4.new_code_cell("2"),
    ]
    path = tmp_path / "some.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    made = notebook(path).cells
    assert made[0].source.startswith("# Lecture\n\n## 1. A")
    assert made[1].source.startswith("(part-1)=\n## Part one\n\n### 2. B")
    assert made[2].metadata["tags"] == ["hide-input"] and "tags" not in made[3].metadata


def test_a_link_to_a_readme_that_is_an_index_here_leads_to_the_index(tmp_path: Path) -> None:
    text = (
        "[b](../../benchmarks/README.md#where) [d](../data/README.md) [x](https://x.org/README.md)"
    )
    path = ROOT / "lectures" / "makemore" / "some.ipynb"
    assert led(text, path) == text.replace("benchmarks/README", "benchmarks/index")


@pytest.mark.slow
def test_the_layout_has_every_notebook_and_every_page_in_one_menu(tmp_path: Path) -> None:
    packages()
    wheel = build_wheel(tmp_path / "wheel")
    folder = tmp_path / "pages"
    stage(folder, wheel)
    menus = {path: path.read_text("utf-8") for path in folder.rglob("index.md")}
    listed = set()
    for path, text in menus.items():
        for menu in re.findall(r"```{toctree}\n(.*?)```", text, flags=re.DOTALL):
            for name in menu.split():
                if not name.startswith(":"):
                    listed.add((path.parent / name).relative_to(folder).as_posix())
    pages = {
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*")
        if path.suffix in (".md", ".rst", ".ipynb")
    }
    assert pages - listed == {"index"}
    assert wheel.name in (folder / "quickstart.md").read_text("utf-8")


def test_a_lecture_links_to_what_can_be_tried_in_the_playground() -> None:
    for stem, names in TRY.items():
        candidates = [ROOT / "demo.ipynb", *(ROOT / "lectures").rglob("*.ipynb")]
        (path,) = [p for p in candidates if p.stem == stem and p.parent.name in PLACES]
        text = notebook(path).cells[1].source
        up = "../" * (len(path.relative_to(ROOT).parts) - 1)
        for name in names:
            assert f'<a href="{up}playground/index.html#x={name}">' in text


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "lectures" / "exercises").glob("*.ipynb")))
def test_an_exercise_that_is_downloaded_finds_its_checkers_and_data(
    path: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "exercise.zip"
    download(path, archive)
    before = archive.read_bytes()
    download(path, archive)
    assert archive.read_bytes() == before
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    (copy,) = (tmp_path / "micrograd_course" / "exercises").glob("*.ipynb")
    cells = nbformat.read(copy, as_version=4).cells
    assert not any("](../" in cell.source for cell in cells)
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    for found in re.findall(r'"(\.\./[^"]+)"', "\n".join(code)):
        assert (copy.parent / found).exists(), found
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code[0]],
        cwd=copy.parent, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip


@pytest.mark.slow
def test_the_code_of_the_quick_start_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "site" / "quickstart.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) >= 4
    (tmp_path / "example.py").write_text("\n".join(blocks), "utf-8")  # lift reads its source
    run = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "[-1.0, 1.0, 1.0, -1.0]" in run.stdout and "instructions" in run.stdout
    for name in ("neuron.svg", "lesson.html", "exclusive_or.svg"):
        assert (tmp_path / name).exists()


# --- licences and lock files ----------------------------------------------------------------------


def test_the_licences_of_all_that_visitors_load_are_listed(tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    entries = {
        "": {"name": "web"},
        "node_modules/@a/b": {"version": "1.2.3", "license": "MIT"},
        "node_modules/builder": {"version": "1.0.0", "license": "MIT", "dev": True},
    }
    lock.write_text(json.dumps({"packages": entries}), "utf-8")
    text = licence_page(lock)
    assert "| @a/b | 1.2.3 | MIT |" in text and "builder" not in text
    assert "Sphinx" in text and "furo" in text
    del entries["node_modules/@a/b"]["license"]
    lock.write_text(json.dumps({"packages": entries}), "utf-8")
    with pytest.raises(ValueError, match="names no licence for @a/b"):
        licence_page(lock)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.parent.name)
def test_a_lock_file_holds_versions_and_hashes_and_no_registrys_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in re.sub(r'"(funding|url)": "[^"]*"', "", text)
    for place, entry in json.loads(text)["packages"].items():
        if place:
            assert "integrity" in entry and "resolved" not in entry, place
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "web" / ".npmrc").read_text("utf-8")
