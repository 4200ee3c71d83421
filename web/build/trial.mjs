// Which cells run in the playground: `node build/trial.mjs WHEEL LISTS`, each list the cells of one try,
// prints for each whether they ran without an error and the last one showed something.
//
// They run where a visitor's would, in Pyodide and in the playground's own session, without NumPy. A try
// ends after so many calls and jumps, and not after seconds: the answer is the same on every machine.
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";

const OURS = fileURLToPath(new URL("../python/", import.meta.url));
const RUN = `
import json, re, sys, zipfile

with zipfile.ZipFile("/lib/micrograd.zip", "a") as archive:
    for name, text in ours.items():
        archive.writestr(name, text)
sys.path.insert(0, "/lib/micrograd.zip")

from micrograd.op import registered
from playground import begin

MOST = 1_500_000  # calls and jumps: some seconds in a browser
own = dict(registered)

def layout(dot, format):
    ids = re.findall(r'^(\\w+) \\[width', dot, re.M)
    edges = re.findall(r' -> .*\\[id=(\\w+)', dot)
    return json.dumps({
        "bb": "0,0,9,9", "objects": [{"name": name, "pos": "1,1"} for name in ids],
        "edges": [{"id": name, "pos": "e,1,1 1,1 2,2 3,3 4,4"} for name in edges],
    })

class TooMuch(BaseException):
    pass

def counted(*_):
    global left
    left -= 1
    if left < 0:
        raise TooMuch

events = sys.monitoring.events
sys.monitoring.use_tool_id(3, "trial")
for event in (events.PY_START, events.JUMP):
    sys.monitoring.register_callback(3, event, counted)

def tried(cells):
    global left
    shown = []
    session = begin(lambda stream, text: shown.append(stream), lambda *what: shown.append("rich"), layout)
    left = MOST
    sys.monitoring.set_events(3, events.PY_START | events.JUMP)
    try:
        for number, code in enumerate(cells, 1):
            shown.clear()
            if not session.run(code, number):
                return False
    except TooMuch:
        return False
    finally:
        sys.monitoring.set_events(3, 0)
        registered.clear()
        registered.update(own)
        session._renderer.__exit__(None, None, None)
    return bool(shown) and "stderr" not in shown

json.dumps([tried(cells) for cells in json.loads(lists)])
`;

const python = await loadPyodide();
python.FS.writeFile("/lib/micrograd.zip", new Uint8Array(readFileSync(process.argv[2])));
const names = readdirSync(OURS, { recursive: true }).map(String).filter((name) => name.endsWith(".py"));
python.globals.set("ours", python.toPy(Object.fromEntries(names.map((name) => [name, readFileSync(OURS + name, "utf8")]))));
python.globals.set("lists", readFileSync(process.argv[3], "utf8"));
console.log(python.runPython(RUN));
