"""Makes `lectures/GLOSSARY.md`: each word of the field with the sentence that explains it.

The words and sentences stand in `tests/lectures/terms.toml`, which a test holds to the lectures'
prose; this page only sorts them. `python -m tools.glossary` writes it.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path

from tools.notebooks import ROOT, read

__all__ = ["PAGE", "main", "page"]

TERMS = ROOT / "tests" / "lectures" / "terms.toml"
PAGE = ROOT / "lectures" / "GLOSSARY.md"
HEAD = """\
# Glossary

The field's words, each with the sentence that explains it and the lecture in which it stands. Made
by `python -m tools.glossary` from `tests/lectures/terms.toml`.
"""


def page() -> str:
    """The glossary: words in alphabetical order; a word of two lectures has two sentences."""
    rows = tomllib.loads(TERMS.read_text(encoding="utf-8"))["term"]
    entries: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row["word"].casefold(), row["lecture"])):
        number, sentence = row["lecture"], " ".join(row["sentence"].split())
        where = f"lecture {number}" if number else "primer"
        link = f"[{where}]({_home(number, sentence).name})"
        sentence = re.sub(r"^\*\*[^*]+\*\* ", "", sentence)  # the heading of its paragraph
        told = sentence[:-1] + "." if sentence[-1] in ":;," else sentence
        entries.setdefault(row["word"], []).append(f"{told} ({link})")
    lines, letter = [HEAD], ""
    for word, sentences in entries.items():
        if word[0].upper() != letter:
            letter = word[0].upper()
            lines.append(f"## {letter}\n")
        lines.append(f"**{word}**: {' '.join(sentences)}\n")
    return "\n".join(lines)


def _home(number: int, sentence: str) -> Path:
    """The notebook of the lecture in which the sentence stands."""
    found = sorted((ROOT / "lectures").glob(f"{number:02}_*.ipynb"))
    for path in found:
        if any(sentence in " ".join("".join(c.source).split()) for c in read(path).cells):
            return path
    raise ValueError(f"no notebook of lecture {number} has the sentence {sentence!r}")


def main() -> int:
    argparse.ArgumentParser(prog="python -m tools.glossary", description=__doc__).parse_args()
    made = page()
    changed = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made
    if changed:
        PAGE.write_text(made, encoding="utf-8")
    print(f"lectures/GLOSSARY.md: {'rewritten' if changed else 'unchanged'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
