// What the page needs to know of the package, asked of the package itself: its colours, the style of
// its pictures, and the hashes of the scripts that its steppers and worksheets bring along.

const QUESTIONS = `
import json, re
import micrograd
from micrograd import Value, step_through, worksheet
from micrograd.show.graph.palette import style_sheet
from micrograd.show.graph.render import rendered_by
from micrograd.show.lesson.pages import colours

def layout(dot, format):
    ids = re.findall(r'^(\\w+) \\[width', dot, re.M)
    edges = re.findall(r' -> .*\\[id=(\\w+)', dot)
    return json.dumps({
        "bb": "0,0,9,9", "objects": [{"name": name, "pos": "1,1"} for name in ids],
        "edges": [{"id": name, "pos": "e,1,1 1,1 2,2 3,3 4,4"} for name in edges],
    }).encode()

def hashes(page):
    return re.findall(r"'sha256-[^']+'", page)

a, b = Value(2.0, label="a"), Value(3.0, label="b")
with rendered_by(layout):
    pages = step_through(a * b).page, step_through(a * b, quiz=True).page, worksheet(a * b).page
json.dumps({
    "version": micrograd.__version__,
    "colours": colours(),
    "picture": style_sheet(),
    "scripts": sorted({text for page in pages for text in hashes(page)}),
})
`;

/** Of a Python that has the package. */
export function factsOf(python) {
  return JSON.parse(python.runPython(QUESTIONS));
}
