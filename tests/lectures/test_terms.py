"""The field's words are explained in the lectures' prose, and nothing there is too long to read."""

import functools
from pathlib import Path
from typing import Any

import nbformat
import prose
import pytest

from tools import glossary, notebooks

LECTURES = notebooks.ROOT / "lectures"
DONE, ROWS = prose.table()
ALL = sorted(p.stem for p in LECTURES.glob("[01][0-9]_*.ipynb"))


@functools.cache
def lecture(name: str) -> Any:
    return notebooks.read(LECTURES / f"{name}.ipynb")


@functools.cache
def parts(number: int) -> list[str]:
    return [
        part for name in prose.of_lecture(number, ALL) for part in prose.sections(lecture(name))
    ]


@pytest.mark.parametrize("name", DONE)
def test_a_lecture_can_be_read_in_an_hour_and_no_long_code_is_in_the_way(name: str) -> None:
    assert not prose.faults_of_form(lecture(name))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['lecture']}, {row['word']}")
def test_a_word_is_explained_where_it_is_first_used(row: dict[str, Any]) -> None:
    fault = prose.fault_of_word(row, parts(row["lecture"]))
    assert fault is None, fault


def test_each_lecture_that_is_done_has_its_words_and_no_word_is_there_twice() -> None:
    assert set(DONE) <= set(ALL) and sorted(DONE) == DONE
    numbers = {int(name[:2]) for name in DONE}
    assert {row["lecture"] for row in ROWS} == numbers
    for number in numbers:  # both notebooks, where there are two
        assert set(prose.of_lecture(number, ALL)) <= set(DONE)
    keys = [(row["word"], row["lecture"]) for row in ROWS]
    assert len(set(keys)) == len(keys)


def test_the_glossary_is_made_of_the_words() -> None:
    made = glossary.page()
    assert glossary.PAGE.read_text(encoding="utf-8") == made, "run `python -m tools.glossary`"
    assert all(f"**{row['word']}**" in made for row in ROWS)


@pytest.mark.parametrize("name", ALL)
def test_each_lecture_leads_to_the_glossary(name: str) -> None:
    assert "](GLOSSARY.md)" in "".join(lecture(name).cells[0].source)


# --- with something wrong -------------------------------------------------------------------------


def made(*cells: tuple[str, str], folded: bool = False) -> Any:
    notebook = nbformat.v4.new_notebook()
    for kind, source in cells:
        new = nbformat.v4.new_markdown_cell if kind == "text" else nbformat.v4.new_code_cell
        notebook.cells.append(new(source))
        if folded and kind == "code":
            notebook.cells[-1].metadata["jupyter"] = {"source_hidden": True}
    return notebook


HEAD = ("text", "# Lecture 1\n\n**Time.** About 5 minutes to read.")


def test_what_is_too_long_is_told_unless_it_is_folded() -> None:
    code = ("code", "x = 1\n" * 30)
    assert "31 lines in sight" in prose.faults_of_form(made(HEAD, code))[0]
    assert not prose.faults_of_form(made(HEAD, code, folded=True))
    words = ("text", "word " * 5001)
    assert "more than 5000" in prose.faults_of_form(made(HEAD, words))[0]
    assert "minutes" in prose.faults_of_form(made(("text", "# Lecture 1")))[0]
    formula = ("text", "$a b c$ and $$d\ne f$$ `not counted` [one](two.ipynb)")
    assert prose.count_words(made(formula)) == 4
    assert prose.count_words(made(formula, ("text", "## References\n\nnot counted"))) == 4


ROW = {"word": "stump", "lecture": 1, "forms": ["stump", "stumps"], "everyday": False,
       "sentence": "A *stump* is a tree of one question."}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("## 1. A\n\nA *stump* is\na tree of one question.", {}, None),
        ("## 1. A\n\nA stump is a tree of one question.", {}, "does not stand"),
        ("## 1. A\n\n`A *stump* is a tree of one question.`", {}, "does not stand"),
        ("## References\n\nA *stump* is a tree of one question.", {}, "does not stand"),
        ("## 1. A\n\nStumps.\n\n## 2. B\n\nA *stump* is a tree of one question.", {}, "part 1"),
        ("## 1. A\n\nStumps.\n\n## 2. B\n\nA *stump* is a tree of one question.",
         {"everyday": True}, None),
        ("## 1. A stump\n\n| stump |\n\n## 2. B\n\nA *stump* is a tree of one question.", {}, None),
        ("## 1. A\n\nA *stump* is a tree of one question.",
         {"sentence": "A stump is a tree of one question."}, "italics"),
        ("## 1. A\n\nA stumpy.\n\n## 2. B\n\nA *stump* is a tree of one question.", {}, None),
    ],
)  # fmt: skip
def test_a_word_that_is_not_explained_is_told(
    text: str, row: dict[str, Any], words: str | None
) -> None:
    fault = prose.fault_of_word(ROW | row, list(prose.sections(made(HEAD, ("text", text)))))
    assert fault is None if words is None else words in fault


def test_a_row_with_a_missing_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text('done = []\n[[term]]\nword = "a"\nlecture = 1\nforms = ["a"]\n')
    with pytest.raises(ValueError, match="should have the keys"):
        prose.table(path)
