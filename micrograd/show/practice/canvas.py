"""A bank as QTI 1.2 for Canvas: numerical questions, and beside them a choice among known mistakes.

Canvas gives full marks to every number that a numerical question names, so that mistakes cannot be
told there; in a multiple choice they can, each with its own feedback. The variants of a question
are a group of which a pupil gets one. The structure is the one that text2qti writes, which Canvas
imports. Read `canvas_zip`, then `_numerical` and `_choice`.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from decimal import Context, Decimal
from html import escape
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from micrograd.show.notation import TIMES, readable

if TYPE_CHECKING:
    from micrograd.show.practice.bank import Bank, Question

__all__ = ["canvas_zip"]

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_CP = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
_MD = "http://www.imsglobal.org/xsd/imsmd_v1p2"
_QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
_WEB = "associatedcontent/imscc_xmlv1p1/learning-application-resource"


def canvas_zip(bank: Bank) -> bytes:
    """The archive; the same bank always gives the same bytes."""
    questions = _questions(bank)
    pictures = {f"images/graph-{k}.svg": svg for k, (svg, _) in enumerate(bank.pictures, 1)}
    ident = _ident("assessment", _xml(questions))
    questions[0].set("ident", ident)
    files = {
        "imsmanifest.xml": _xml(_manifest(bank, ident, list(pictures))),
        f"{ident}/assessment_meta.xml": _xml(_meta(bank, ident)),
        f"{ident}/{ident}.xml": _xml(questions),
    } | pictures
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("non_cc_assessments/"), b"")
        for name, text in files.items():
            info = zipfile.ZipInfo(name)  # without today's date
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    return stream.getvalue()


def _xml(root: Element) -> str:
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _ident(kind: str, *parts: object) -> str:
    """A name that is the same for the same content, and holds no word that Canvas reads in it."""
    digest = hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return f"micrograd_{kind}_{digest}"


def _add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    element.text = text or None
    return element


# --- the archive's other files --------------------------------------------------------------------


def _manifest(bank: Bank, ident: str, images: list[str]) -> Element:
    schemas = f"{_CP} http://www.imsglobal.org/xsd/imscp_v1p1.xsd {_MD} {_MD}p2.xsd"
    root = Element(
        "manifest",
        {"identifier": _ident("manifest", ident), "xmlns": _CP, "xmlns:imsmd": _MD,
         "xmlns:xsi": _XSI, "xsi:schemaLocation": schemas},
    )  # fmt: skip
    about = SubElement(root, "metadata")
    _add(about, "schema", "IMS Content")
    _add(about, "schemaversion", "1.1.3")
    title = SubElement(SubElement(SubElement(about, "imsmd:lom"), "imsmd:general"), "imsmd:title")
    _add(title, "imsmd:string", bank.title)
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    meta = _ident("dependency", ident)
    quiz = _add(resources, "resource", identifier=ident, type="imsqti_xmlv1p2")
    _add(quiz, "file", href=f"{ident}/{ident}.xml")
    _add(quiz, "dependency", identifierref=meta)
    files = [(meta, _WEB, f"{ident}/assessment_meta.xml")]
    files += [(_ident("image", ident, name), "webcontent", name) for name in images]
    for name, kind, href in files:
        resource = _add(resources, "resource", identifier=name, type=kind, href=href)
        _add(resource, "file", href=href)
    return root


def _meta(bank: Bank, ident: str) -> Element:
    """What kind of quiz it is; Canvas has defaults for what is not said here."""
    schema = f"{_CANVAS} https://canvas.instructure.com/xsd/cccv1p0.xsd"
    root = Element(
        "quiz",
        {"identifier": ident, "xmlns": _CANVAS, "xmlns:xsi": _XSI, "xsi:schemaLocation": schema},
    )
    points = f"{2.0 * len(bank.kinds)}"
    told = {
        "title": bank.title,
        "description": f"<p>Local derivative {TIMES} gradient arriving, summed over all uses.</p>",
        "shuffle_answers": "true",
        "scoring_policy": "keep_highest",
        "quiz_type": "assignment",
        "points_possible": points,
        "show_correct_answers": "false",
        "allowed_attempts": "-1",
        "available": "false",
    }
    for tag, text in told.items():
        _add(root, tag, text)
    homework = SubElement(root, "assignment", identifier=_ident("assignment", ident))
    told = {
        "title": bank.title,
        "workflow_state": "unpublished",
        "quiz_identifierref": ident,
        "points_possible": points,
        "grading_type": "points",
        "submission_types": "online_quiz",
    }
    for tag, text in told.items():
        _add(homework, tag, text)
    return root


# --- the questions --------------------------------------------------------------------------------


def _questions(bank: Bank) -> Element:
    schema = f"{_QTI} {_QTI}p1.xsd"
    root = Element(
        "questestinterop", {"xmlns": _QTI, "xmlns:xsi": _XSI, "xsi:schemaLocation": schema}
    )
    quiz = _add(root, "assessment", ident="", title=bank.title)
    _field(SubElement(quiz, "qtimetadata"), "cc_maxattempts", "unlimited")
    section = _add(quiz, "section", ident="root_section")
    for name, questions in bank.kinds.items():
        _group(section, bank, name, questions, choice=False)
        choosable = [question for question in questions if len(question.choices) > 1]
        if choosable:
            _group(section, bank, f"{name}: choose", choosable, choice=True)
    return root


def _group(
    section: Element, bank: Bank, title: str, questions: list[Question], choice: bool
) -> None:
    """The variants of one question; a pupil gets one of them."""
    group = _add(section, "section", ident=_ident("group", bank.title, title), title=title)
    selection = SubElement(SubElement(group, "selection_ordering"), "selection")
    _add(selection, "selection_number", "1")
    _add(SubElement(selection, "selection_extension"), "points_per_item", "1")
    for question in questions:
        words = bank.pictures[question.variant - 1][1]
        ident = _ident("question", title, question.title, question.variant, words)
        name = f"{question.title}, {question.variant}: {title}"
        item = _add(group, "item", ident=ident, title=name)
        (_choice if choice else _numerical)(item, ident, question, words)


def _field(fields: Element, label: str, entry: str) -> None:
    field = SubElement(fields, "qtimetadatafield")
    _add(field, "fieldlabel", label)
    _add(field, "fieldentry", entry)


def _head(item: Element, ident: str, kind: str, answers: list[str], asked: str) -> Element:
    """What Canvas wants to know of every question, and its text; gives the place for the answer."""
    fields = SubElement(SubElement(item, "itemmetadata"), "qtimetadata")
    _field(fields, "question_type", kind)
    _field(fields, "points_possible", "1")
    _field(fields, "original_answer_ids", ",".join(answers))
    _field(fields, "assessment_question_identifierref", _ident("question_ref", ident))
    presentation = SubElement(item, "presentation")
    _material(presentation, asked)
    return presentation


def _material(parent: Element, html: str) -> None:
    _add(SubElement(parent, "material"), "mattext", html, texttype="text/html")


def _asked(question: Question, words: str) -> str:
    source = f"%24IMS-CC-FILEBASE%24/images/graph-{question.variant}.svg"
    return (
        f"<p>{escape(question.ask)}</p>"
        f'<p><img src="{source}" alt="{escape(words)}" style="max-width: 100%;"></p>'
    )


def _processing(item: Element) -> Element:
    """How answers are judged, with the feedback that everybody reads."""
    processing = SubElement(item, "resprocessing")
    _add(
        SubElement(processing, "outcomes"),
        "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal",
    )  # fmt: skip
    always = SubElement(processing, "respcondition", {"continue": "Yes"})
    SubElement(SubElement(always, "conditionvar"), "other")
    _add(always, "displayfeedback", feedbacktype="Response", linkrefid="general_fb")
    return processing


def _feedback(item: Element, ident: str, text: str) -> None:
    flow = SubElement(_add(item, "itemfeedback", ident=ident), "flow_mat")
    _material(flow, f"<p>{escape(text)}</p>")


def _full_marks(condition: Element) -> None:
    _add(condition, "setvar", "100", action="Set", varname="SCORE")


def _numerical(item: Element, ident: str, question: Question, words: str) -> None:
    answers = [_ident("numerical", ident, k) for k in range(len(question.right))]
    presentation = _head(item, ident, "numerical_question", answers, _asked(question, words))
    response = _add(presentation, "response_str", ident="response1", rcardinality="Single")
    _add(_add(response, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    processing = _processing(item)
    for answer in question.right:
        number, tolerance = Decimal(answer.number + 0.0), Decimal(answer.tolerance)
        condition = SubElement(processing, "respcondition", {"continue": "No"})
        either = SubElement(SubElement(condition, "conditionvar"), "or")
        _add(either, "varequal", _decimal(number), respident="response1")
        both = SubElement(either, "and")
        _add(both, "vargte", _decimal(number - tolerance), respident="response1")
        _add(both, "varlte", _decimal(number + tolerance), respident="response1")
        _full_marks(condition)
    _feedback(item, "general_fb", question.method)


def _decimal(x: Decimal) -> str:
    """Seventeen digits, never with an exponent."""
    return f"{x.normalize(Context(prec=17)):f}"


def _choice(item: Element, ident: str, question: Question, words: str) -> None:
    named = [(_ident("choice", ident, k), answer) for k, answer in enumerate(question.choices)]
    head = _head(
        item,
        ident,
        "multiple_choice_question",
        [name for name, _ in named],
        _asked(question, words),
    )
    response = _add(head, "response_lid", ident="response1", rcardinality="Single")
    listed = SubElement(response, "render_choice")
    for name, answer in named:
        _material(_add(listed, "response_label", ident=name), f"<p>{readable(answer.number)}</p>")
    processing = _processing(item)
    for name, answer in named:
        if answer.feedback:
            condition = _chosen(processing, name, "Yes")
            _add(condition, "displayfeedback", feedbacktype="Response", linkrefid=f"{name}_fb")
    right = next(name for name, answer in named if not answer.feedback)
    _full_marks(_chosen(processing, right, "No"))
    _feedback(item, "general_fb", question.method)
    for name, answer in named:
        if answer.feedback:
            _feedback(item, f"{name}_fb", answer.feedback)


def _chosen(processing: Element, name: str, more: str) -> Element:
    condition = SubElement(processing, "respcondition", {"continue": more})
    _add(SubElement(condition, "conditionvar"), "varequal", name, respident="response1")
    return condition
