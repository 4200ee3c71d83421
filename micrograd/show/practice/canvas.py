"""A bank as the archive that Canvas imports: QTI 1.2, its pictures, and what kind of quiz it is.

The structure is the one that text2qti writes, which Canvas imports; the questions themselves stand
in `canvas_items.py`. Read `canvas_zip`.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from micrograd.show.notation import TIMES
from micrograd.show.practice.canvas_items import XSI, add, ident_of, questions

if TYPE_CHECKING:
    from micrograd.show.practice.bank import Bank

__all__ = ["canvas_zip"]

_CP = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
_MD = "http://www.imsglobal.org/xsd/imsmd_v1p2"
_CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
_WEB = "associatedcontent/imscc_xmlv1p1/learning-application-resource"


def canvas_zip(bank: Bank) -> bytes:
    """The archive; the same bank always gives the same bytes."""
    asked = questions(bank)
    pictures = {f"images/graph-{k}.svg": svg for k, (svg, _) in enumerate(bank.pictures, 1)}
    points = str(float(len(asked.findall("assessment/section/section"))))  # one for each group
    ident = ident_of("assessment", _xml(asked))
    asked[0].set("ident", ident)
    files = {
        "imsmanifest.xml": _xml(_manifest(bank, ident, list(pictures))),
        f"{ident}/assessment_meta.xml": _xml(_meta(bank, ident, points)),
        f"{ident}/{ident}.xml": _xml(asked),
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


# --- the archive's other files --------------------------------------------------------------------


def _manifest(bank: Bank, ident: str, images: list[str]) -> Element:
    schemas = f"{_CP} http://www.imsglobal.org/xsd/imscp_v1p1.xsd {_MD} {_MD}p2.xsd"
    root = Element(
        "manifest",
        {"identifier": ident_of("manifest", ident), "xmlns": _CP, "xmlns:imsmd": _MD,
         "xmlns:xsi": XSI, "xsi:schemaLocation": schemas},
    )  # fmt: skip
    about = SubElement(root, "metadata")
    add(about, "schema", "IMS Content")
    add(about, "schemaversion", "1.1.3")
    title = SubElement(SubElement(SubElement(about, "imsmd:lom"), "imsmd:general"), "imsmd:title")
    add(title, "imsmd:string", bank.title)
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    meta = ident_of("dependency", ident)
    quiz = add(resources, "resource", identifier=ident, type="imsqti_xmlv1p2")
    add(quiz, "file", href=f"{ident}/{ident}.xml")
    add(quiz, "dependency", identifierref=meta)
    files = [(meta, _WEB, f"{ident}/assessment_meta.xml")]
    files += [(ident_of("image", ident, name), "webcontent", name) for name in images]
    for name, kind, href in files:
        resource = add(resources, "resource", identifier=name, type=kind, href=href)
        add(resource, "file", href=href)
    return root


def _meta(bank: Bank, ident: str, points: str) -> Element:
    """What kind of quiz it is; Canvas has defaults for what is not said here."""
    schema = f"{_CANVAS} https://canvas.instructure.com/xsd/cccv1p0.xsd"
    root = Element(
        "quiz",
        {"identifier": ident, "xmlns": _CANVAS, "xmlns:xsi": XSI, "xsi:schemaLocation": schema},
    )
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
        add(root, tag, text)
    homework = SubElement(root, "assignment", identifier=ident_of("assignment", ident))
    told = {
        "title": bank.title,
        "workflow_state": "unpublished",
        "quiz_identifierref": ident,
        "points_possible": points,
        "grading_type": "points",
        "submission_types": "online_quiz",
    }
    for tag, text in told.items():
        add(homework, tag, text)
    return root
