"""A lecture's own prose, and what is asked of it: its form, and the field's words that it explains.

`terms.toml` holds the words, and at its top the list of lectures that are held to all this. Prose
is Markdown without code and without the references; the head cell, headings and tables announce
words and do not explain them.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools import notebooks

TABLE = Path(__file__).with_name("terms.toml")
MOST_WORDS = 5000
MOST_LINES = 25
MOST_MINUTES = 60
UNTIL = re.compile(r"^## References", flags=re.MULTILINE)


def table(path: Path = TABLE) -> tuple[list[str], list[dict[str, Any]]]:
    """(names of the notebooks that are done, rows); a row that is not well formed is an error."""
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    for row in read["term"]:
        wanted = {"word", "lecture", "forms", "sentence"}
        if set(row) - {"everyday"} != wanted or not row["forms"]:
            raise ValueError(f"{path.name}: {row} should have the keys {sorted(wanted)}")
    return read["done"], read["term"]


def of_lecture(number: int, names: Sequence[str]) -> list[str]:
    """The notebooks of a lecture among `names`: one, or two."""
    return [name for name in names if name.startswith(f"{number:02}_")]


# --- prose ----------------------------------------------------------------------------------------


def markdown(notebook: Any) -> str:
    """The text of the Markdown cells, one after another, down to the references."""
    cells = ["".join(c.source) for c in notebook.cells if c.cell_type == "markdown"]
    return UNTIL.split("\n\n".join(cells))[0]


def without_code(text: str) -> str:
    """The text without code and without the addresses of links."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.sub(r"\]\([^)\s]*\)", "]", text)


def count_words(notebook: Any) -> int:
    """The words of a reader, down to the references; a formula is counted as one word."""
    text = without_code(markdown(notebook))
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$", "F", text, flags=re.DOTALL)
    return len(re.findall(r"\w[\w'.,-]*", text))


def sections(notebook: Any) -> Iterator[str]:
    """The prose in parts that begin at a heading; head cell, headings and tables are left out."""
    _, _, body = without_code(markdown(notebook)).partition("\n## ")
    for part in body.split("\n## "):
        lines = part.split("\n")[1:]
        kept = [x for x in lines if not x.startswith("#") and not x.lstrip().startswith("|")]
        yield squeezed("\n".join(kept))


def squeezed(text: str) -> str:
    return " ".join(text.split())


# --- what is asked --------------------------------------------------------------------------------


def faults_of_form(notebook: Any) -> list[str]:
    """What is too long: words, minutes to read, lines of a cell that is not folded."""
    found = []
    words = count_words(notebook)
    if words > MOST_WORDS:
        found.append(f"{words} words, more than {MOST_WORDS}")
    minutes = re.search(r"[Aa]bout (\d+) minutes to read", "".join(notebook.cells[0].source))
    if not minutes or int(minutes[1]) > MOST_MINUTES:
        found.append(f"its head does not say how many minutes to read, at most {MOST_MINUTES}")
    for cell in notebook.cells:
        lines = len("".join(cell.source).split("\n"))
        if cell.cell_type == "code" and lines > MOST_LINES and not notebooks.is_folded(cell):
            found.append(f"{lines} lines in sight: {''.join(cell.source)[:50]!r}")
    return found


def spoken(form: str, text: str) -> re.Match[str] | None:
    """Where a form of a word stands in a text, in any case; else None."""
    return re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text, flags=re.IGNORECASE)


def fault_of_word(row: dict[str, Any], parts: Sequence[str]) -> str | None:
    """What is wrong with the row, given the parts of its lecture; None if it is explained there.

    The sentence stands in the prose, with the word in italics, and no earlier part uses the word,
    unless it is everyday English.
    """
    sentence = squeezed(without_code(row["sentence"]))
    italic = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", sentence)
    if not any(spoken(form, span) for form in row["forms"] for span in italic):
        return f"{row['word']}: not in italics in the sentence that should explain it"
    home = next((i for i, part in enumerate(parts) if sentence in part), None)
    if home is None:
        return f"{row['word']}: its sentence does not stand in lecture {row['lecture']}'s prose"
    for i, part in enumerate(parts[:home]):
        for form in row["forms"]:
            if not row.get("everyday") and (at := spoken(form, part)):
                near = part[max(0, at.start() - 40) : at.end() + 20]
                return f"{row['word']}: used in part {i + 1}, explained in {home + 1}: {near!r}"
    return None
