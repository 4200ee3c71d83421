// Python's library and the package as the page loads them: what starting needs is compiled already,
// which saves more than half of the time until the first picture.
//
// What is compiled, and which modules that are, is asked of Pyodide itself. From the library goes what no
// page can use: servers, processes, a terminal, Windows, encodings of old files, and the slow twins of what is
// there in C. From the package goes what needs a compiler, JAX or a command line; what says so stays.
import { loadPyodide } from "pyodide";

const COMPILE = `
import importlib.util
import importlib._bootstrap_external as loading
import io, re, sys, zipfile

ABSENT = re.compile(
    r"^(multiprocessing|_pyrepl|wsgiref|xmlrpc|curses|idlelib|ensurepip|venv)/"
    r"|^(asyncio/(windows_events|windows_utils|proactor_events)|concurrent/futures/process|http/server)[.]py$"
    r"|^ctypes/(_aix[.]py|macholib/|wintypes[.]py)|^[^/]+[.]dist-info/RECORD$"
    r"|^(_pyio|_pydatetime|pdb|bdb|imaplib|smtplib|poplib|ftplib|mailbox|socketserver|optparse|cProfile|profile|pstats|pickletools|plistlib|zipapp|trace)[.]py$"
    r"|^encodings/(cp(?!1252|437)|mac_|iso8859_(?!1[.]|15)|koi8|kz1048|ptcp|tis|hp_|big5|euc|gb|hz|iso2022|johab|shift)"
)
USELESS = re.compile(
    r"^micrograd/(lifting/run/(native/|with_jax/(?!__init__|function))|(cli|__main__|show/practice/commands)[.]py)"
)
LIBRARY = "/lib/python314.zip"

def used(folder):
    """The files below a folder that the modules imported so far came from."""
    files = (getattr(module, "__file__", None) or "" for module in list(sys.modules.values()))
    return {name.removeprefix(folder + "/") for name in files if name.startswith(folder + "/")}

def compiled(source, folder, name, level):
    code = compile(source, f"{folder}/{name}", "exec", dont_inherit=True, optimize=level)
    return loading._code_to_hash_pyc(code, importlib.util.source_hash(source), False)

def written(archives, folder, wanted, keep, level):
    """The files of archives in a new one; of the wanted there is bytecode, beside the source if it is to keep."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, content in sorted(archives.items()):
            stamp = zipfile.ZipInfo(name)  # of 1980: the same each time
            stamp.compress_type = zipfile.ZIP_DEFLATED
            if name in wanted:
                bytecode = zipfile.ZipInfo(name + "c")
                bytecode.compress_type = zipfile.ZIP_DEFLATED
                out.writestr(bytecode, compiled(content, folder, name, level))
            if name not in wanted or keep(name):
                out.writestr(stamp, content)
    return made.getvalue()

def shown(name):
    """A reader may ask for the source of what is taught, not of the page's own modules."""
    return name.startswith("micrograd/")

def headers(name, content):
    """Of a distribution's metadata what importlib reads, without the README."""
    return content.partition(b"\\n\\n")[0].rstrip() + b"\\n" if name.endswith("/METADATA") else content

def content_of(path):
    with zipfile.ZipFile(path) as archive:
        return {i.filename: archive.read(i) for i in archive.infolist() if not i.is_dir()}

library = {name: x for name, x in content_of(LIBRARY).items() if not ABSENT.search(name)}
package = {name: headers(name, x) for name, x in content_of(FOLDER).items() if not (ABSENT.search(name) or USELESS.search(name))}
wanted = used(LIBRARY) - {"html/entities.py"}  # its bytecode is twice as large, and saves nothing
stdlib = written(library, LIBRARY, wanted, keep=lambda name: False, level=2)
package = written(package, FOLDER, used(FOLDER), keep=shown, level=0)
`;

const ADD = `
import sys, zipfile
with zipfile.ZipFile(FOLDER, "a") as archive:
    for name, text in ours.items():
        archive.writestr(name, text)
sys.path.insert(0, FOLDER)
`;

const IMPORTS = `
import json, random, math, graphviz, playground
import micrograd.nn
import pyodide.code, pyodide.ffi
`;

/** `{ library, package, python }`: two archives, and the Python that made them, which has both. */
export async function archives(wheel, ours, folder) {
  const python = await loadPyodide();
  python.FS.writeFile(folder, new Uint8Array(wheel));
  python.globals.set("FOLDER", folder); // where the page will have it: bytecode remembers the place
  python.globals.set("ours", python.toPy(ours));
  python.runPython(ADD);
  python.runPython(IMPORTS);
  python.runPython(COMPILE);
  const get = (name) => {
    const proxy = python.globals.get(name);
    const bytes = Buffer.from(proxy.toJs());
    proxy.destroy();
    return bytes;
  };
  return { library: get("stdlib"), package: get("package"), python };
}
