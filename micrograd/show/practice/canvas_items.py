"""The questions of a bank as QTI 1.2 items, in groups of which a pupil gets one variant each.

Canvas gives full marks to every number that a numerical question names, so that mistakes cannot be
told there; in a multiple choice they can, each with its own feedback. Read `questions`, then
`_numerical` and `_choice`.
"""

from __future__ import annotations

import hashlib
from decimal import Context, Decimal
from html import escape
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from micrograd.show.notation import readable

if TYPE_CHECKING:
    from micrograd.show.practice.bank import Bank, Question

__all__ = ["XSI", "add", "ident_of", "questions"]

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"


def ident_of(kind: str, *parts: object) -> str:
    """A name that is the same for the same content, and holds no word that Canvas reads in it."""
    digest = hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return f"micrograd_{kind}_{digest}"


def add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    element.text = text or None
    return element


def questions(bank: Bank) -> Element:
    """All of them, in one assessment whose `ident` the archive fills in."""
    schema = f"{_QTI} {_QTI}p1.xsd"
    root = Element(
        "questestinterop", {"xmlns": _QTI, "xmlns:xsi": XSI, "xsi:schemaLocation": schema}
    )
    quiz = add(root, "assessment", ident="", title=bank.title)
    _field(SubElement(quiz, "qtimetadata"), "cc_maxattempts", "unlimited")
    section = add(quiz, "section", ident="root_section")
    for name, variants in bank.kinds.items():
        _group(section, bank, name, variants, choice=False)
        choosable = [question for question in variants if len(question.choices) > 1]
        if choosable:
            _group(section, bank, f"{name}: choose", choosable, choice=True)
    return root


def _group(
    section: Element, bank: Bank, title: str, variants: list[Question], choice: bool
) -> None:
    """The variants of one question; a pupil gets one of them."""
    group = add(section, "section", ident=ident_of("group", bank.title, title), title=title)
    selection = SubElement(SubElement(group, "selection_ordering"), "selection")
    add(selection, "selection_number", "1")
    add(SubElement(selection, "selection_extension"), "points_per_item", "1")
    for question in variants:
        words = bank.pictures[question.variant - 1][1]
        ident = ident_of("question", title, question.title, question.variant, words)
        name = f"{question.title}, {question.variant}: {title}"
        item = add(group, "item", ident=ident, title=name)
        (_choice if choice else _numerical)(item, ident, question, words)


def _field(fields: Element, label: str, entry: str) -> None:
    field = SubElement(fields, "qtimetadatafield")
    add(field, "fieldlabel", label)
    add(field, "fieldentry", entry)


def _head(item: Element, ident: str, kind: str, answers: list[str], asked: str) -> Element:
    """What Canvas wants to know of every question, and its text; gives the place for the answer."""
    fields = SubElement(SubElement(item, "itemmetadata"), "qtimetadata")
    _field(fields, "question_type", kind)
    _field(fields, "points_possible", "1")
    _field(fields, "original_answer_ids", ",".join(answers))
    _field(fields, "assessment_question_identifierref", ident_of("question_ref", ident))
    presentation = SubElement(item, "presentation")
    _material(presentation, asked)
    return presentation


def _material(parent: Element, html: str) -> None:
    add(SubElement(parent, "material"), "mattext", html, texttype="text/html")


def _asked(question: Question, words: str) -> str:
    source = f"%24IMS-CC-FILEBASE%24/images/graph-{question.variant}.svg"
    return (
        f"<p>{escape(question.ask)}</p>"
        f'<p><img src="{source}" alt="{escape(words)}" style="max-width: 100%;"></p>'
    )


def _processing(item: Element) -> Element:
    """How answers are judged, with the feedback that everybody reads."""
    processing = SubElement(item, "resprocessing")
    add(
        SubElement(processing, "outcomes"),
        "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal",
    )  # fmt: skip
    always = SubElement(processing, "respcondition", {"continue": "Yes"})
    SubElement(SubElement(always, "conditionvar"), "other")
    add(always, "displayfeedback", feedbacktype="Response", linkrefid="general_fb")
    return processing


def _feedback(item: Element, ident: str, text: str) -> None:
    flow = SubElement(add(item, "itemfeedback", ident=ident), "flow_mat")
    _material(flow, f"<p>{escape(text)}</p>")


def _full_marks(condition: Element) -> None:
    add(condition, "setvar", "100", action="Set", varname="SCORE")


def _numerical(item: Element, ident: str, question: Question, words: str) -> None:
    answers = [ident_of("numerical", ident, k) for k in range(len(question.right))]
    presentation = _head(item, ident, "numerical_question", answers, _asked(question, words))
    response = add(presentation, "response_str", ident="response1", rcardinality="Single")
    add(add(response, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    processing = _processing(item)
    for answer in question.right:
        number, tolerance = Decimal(answer.number + 0.0), Decimal(answer.tolerance)
        condition = SubElement(processing, "respcondition", {"continue": "No"})
        either = SubElement(SubElement(condition, "conditionvar"), "or")
        add(either, "varequal", _decimal(number), respident="response1")
        both = SubElement(either, "and")
        add(both, "vargte", _decimal(number - tolerance), respident="response1")
        add(both, "varlte", _decimal(number + tolerance), respident="response1")
        _full_marks(condition)
    _feedback(item, "general_fb", question.method)


def _decimal(x: Decimal) -> str:
    """Seventeen digits, never with an exponent, always with a point, as text2qti writes them."""
    text = f"{x.normalize(Context(prec=17)):f}"
    return text if "." in text else f"{text}.0"


def _choice(item: Element, ident: str, question: Question, words: str) -> None:
    named = [(ident_of("choice", ident, k), answer) for k, answer in enumerate(question.choices)]
    head = _head(
        item,
        ident,
        "multiple_choice_question",
        [name for name, _ in named],
        _asked(question, words),
    )
    response = add(head, "response_lid", ident="response1", rcardinality="Single")
    listed = SubElement(response, "render_choice")
    for name, answer in named:
        _material(add(listed, "response_label", ident=name), f"<p>{readable(answer.number)}</p>")
    processing = _processing(item)
    for name, answer in named:
        if answer.feedback:
            condition = _chosen(processing, name, "Yes")
            add(condition, "displayfeedback", feedbacktype="Response", linkrefid=f"{name}_fb")
    right = next(name for name, answer in named if not answer.feedback)
    _full_marks(_chosen(processing, right, "No"))
    _feedback(item, "general_fb", question.method)
    for name, answer in named:
        if answer.feedback:
            _feedback(item, f"{name}_fb", answer.feedback)


def _chosen(processing: Element, name: str, more: str) -> Element:
    condition = SubElement(processing, "respcondition", {"continue": more})
    add(SubElement(condition, "conditionvar"), "varequal", name, respident="response1")
    return condition
