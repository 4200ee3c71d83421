"""One sentence beneath an error that has to do with where the code runs, not with the code."""

from __future__ import annotations

__all__ = ["hint"]

_PACKAGES = {  # what the lectures' videos import
    "numpy": "NumPy is not part of this page: lists of Values do for small networks",
    "matplotlib": "Matplotlib is not here: `from playground import Curve` draws a curve",
    "torch": "PyTorch does not run in a browser: compare with it on your own machine",
    "pandas": "pandas is not part of this page",
    "scipy": "SciPy is not part of this page",
    "sklearn": "scikit-learn is not part of this page",
    "tensorflow": "TensorFlow does not run in a browser",
    "jax": "JAX does not run in a browser",
    "tqdm": "tqdm is not here: print() shows how far a loop is",
    "IPython": "IPython is not here: display(x) is, without an import",
    "requests": "code on this page reaches no other address",
}
_FILES = "Files of your computer are not here, and what code writes here is gone with the page."
_NETWORK = "Code on this page reaches no other address."


def hint(error: BaseException) -> str:
    """The sentence, or nothing."""
    match error:
        case ImportError(name=str(name)) if name:
            package = name.partition(".")[0]
            return _PACKAGES[package] + "." if package in _PACKAGES else _missing(error, package)
        case FileNotFoundError():
            return _FILES
        case RecursionError():
            return "A call went more than 400 deep, which is as far as Python goes in a browser."
        case MemoryError():
            return "The page has some two gigabytes of memory, and this asked for more."
        case OSError() if "processes" in str(error):
            return "No other program can be started from a page."
        case OSError() if type(error).__name__ in ("URLError", "gaierror", "ConnectionError"):
            return _NETWORK
        case SystemExit():
            return "The cell ended itself; the names are all still there."
        case RuntimeError() if "stack switch" in str(error):
            return "A cell runs in one go here: asyncio has nothing to run it by."
    return ""


def _missing(error: BaseException, package: str) -> str:
    if isinstance(error, ModuleNotFoundError) and package != "micrograd":
        return f"{package} is not part of this page, which has Python's own library and micrograd."
    return ""
