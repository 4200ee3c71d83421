"""A bank as Moodle XML: numerical questions, whose wrong answers bear the known mistakes' words.

Moodle gives an answer to the first of a question's answers that it is near enough to, so the right
ones stand first and `*`, which takes every number, last. Read `moodle_xml`, then `_question`.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from micrograd.show.practice.bank import Answer, Bank, Question

__all__ = ["moodle_xml", "number"]

_FILE = "graph.svg"


def moodle_xml(bank: Bank) -> str:
    """Every question, in one category for each gradient that is asked for."""
    root = Element("quiz")
    for name, questions in bank.kinds.items():
        category = SubElement(SubElement(root, "question", type="category"), "category")
        _text(category, f"$course$/top/{_folder(bank.title)}/{_folder(name)}")
        for question in questions:
            _question(root, question, *bank.pictures[question.variant - 1])
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def number(x: float) -> str:
    """A float in decimals, with every digit it has."""
    return repr(x + 0.0)


def _folder(name: str) -> str:
    """A category's name: a slash would begin another one, and is written twice."""
    return name.replace("/", "//")


def _text(parent: Element, text: str) -> None:
    SubElement(parent, "text").text = text


def _html(parent: Element, tag: str, text: str) -> Element:
    element = SubElement(parent, tag, format="html")
    _text(element, text)
    return element


def _question(root: Element, question: Question, svg: str, words: str) -> None:
    item = SubElement(root, "question", type="numerical")
    _text(SubElement(item, "name"), f"{question.title}, {question.variant}: {question.name}"[:255])
    picture = f'<p><img src="@@PLUGINFILE@@/{_FILE}" alt="{escape(words)}" class="img-fluid"></p>'
    asked = _html(item, "questiontext", f"<p>{escape(question.ask)}</p>{picture}")
    file = SubElement(asked, "file", name=_FILE, path="/", encoding="base64")
    file.text = b64encode(svg.encode()).decode()
    _html(item, "generalfeedback", f"<p>{escape(question.method)}</p>")
    for tag, text in (("defaultgrade", "1"), ("penalty", "0.3333333"), ("hidden", "0")):
        SubElement(item, tag).text = text
    for answer in question.right:
        _answer(item, 100, answer)
    for answer in question.wrong:
        _answer(item, 0, answer)
    last = SubElement(item, "answer", fraction="0", format="moodle_auto_format")
    _text(last, "*")
    _html(last, "feedback", f"<p>{escape(question.otherwise)}</p>")
    SubElement(last, "tolerance").text = "0"


def _answer(item: Element, fraction: int, answer: Answer) -> None:
    element = SubElement(item, "answer", fraction=str(fraction), format="moodle_auto_format")
    _text(element, number(answer.number))
    _html(element, "feedback", f"<p>{escape(answer.feedback)}</p>" if answer.feedback else "")
    SubElement(element, "tolerance").text = number(answer.tolerance)
