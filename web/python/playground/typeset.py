"""An explanation as a page: its Markdown becomes HTML, its LaTeX MathML, which browsers draw.

Only what `explain` writes is known here: headings, bold names, formulas with fractions, powers,
cases and words. Everything else in it is text, and stays text. Read `page`, then `_Formula`.
"""

from __future__ import annotations

import html
import re

__all__ = ["mathml", "page"]

_STYLE = (
    ".explanation{overflow-x:auto;padding:2px 10px 10px;line-height:1.5}"
    ".explanation h3{font-size:1.05em;margin:1em 0 .3em}.explanation p{margin:.9em 0 .2em}"
    ".explanation math{font-size:1.1em;padding:.15em 0}"
    ".explanation math[display=block]{width:max-content;margin:.2em 0 .2em 1.2em}"
    ".explanation mtd{text-align:left}"
)
_INLINE = re.compile(r"\\(?P<sign>.)|(?P<bold>\*\*)|\$(?P<formula>(?:\\.|[^$\\])+)\$", re.DOTALL)


def page(markdown: str) -> str:
    """The HTML of an explanation; one region, which a keyboard can scroll."""
    blocks = [block.strip("\n") for block in re.split(r"\n\n+", markdown)]
    body = "".join(_block(block) for block in blocks if block)
    return (
        f'<style>{_STYLE}</style><div class="explanation" role="region" aria-label="Explanation"'
        f' tabindex="0">{body}</div>'
    )


def _block(block: str) -> str:
    if block.startswith("$$\n") and block.endswith("\n$$"):
        return f"<div>{mathml(block[3:-3], 'block')}</div>"
    if block.startswith("### "):
        return f"<h3>{_inline(block[4:])}</h3>"
    return f"<p>{_inline(block)}</p>"


def _inline(text: str) -> str:
    parts, place, bold = [], 0, False
    for found in _INLINE.finditer(text):
        parts.append(_words(text[place : found.start()]))
        place = found.end()
        if found["formula"]:
            parts.append(mathml(found["formula"], "inline"))
        elif found["bold"]:
            bold = not bold
            parts.append("<b>" if bold else "</b>")
        else:
            parts.append(_words(found["sign"]))
    return "".join([*parts, _words(text[place:]), "</b>" * bold])


def _words(text: str) -> str:
    return html.escape(html.unescape(text), quote=False)


# --- formulas -------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\\[A-Za-z]+ ?|\\.|\d+(?:\.\d+)?|[^\s]")
MINUS = "\N{MINUS SIGN}"
_SIGNS = {
    "cdot": "⋅", "to": "→", "ne": "≠", "lt": "&lt;", "gt": "&gt;", "sim": "\N{TILDE OPERATOR}",
    "backslash": "\\", "-": MINUS, "<": "&lt;", ">": "&gt;",
}  # fmt: skip
_NO_SIGNS = ("", "}", "&", "$")
_NAMES = {"partial": "∂", "infty": "∞"}
_FUNCTIONS = frozenset(("exp", "log", "sin", "cos", "tanh"))
_IN_WORDS = (
    ("\\backslash ", "\\"),
    ("\\sim ", "~"),
    ("\\lt ", "<"),
    ("\\gt ", ">"),
    ("\\hat{}", "^"),
)


def mathml(latex: str, display: str) -> str:
    """The formula for the browser; a command that `explain` does not write is a ValueError."""
    formula = _Formula(latex)
    made = formula.row("")
    if formula.place < len(latex):
        raise ValueError(f"{latex[formula.place :]!r} is left over in the formula {latex!r}")
    return f'<math display="{display}">{made}</math>'


class _Formula:
    """Reads LaTeX from left to right; each part gives one element of MathML."""

    def __init__(self, latex: str) -> None:
        self.latex, self.place = latex, 0

    def next(self) -> str:
        """The next token, or nothing at the end."""
        while self.latex[self.place : self.place + 1].isspace():
            self.place += 1
        found = _TOKEN.match(self.latex, self.place)
        if not found:
            return ""
        self.place = found.end()
        return found[0].strip()

    def row(self, *ends: str) -> str:
        """Parts up to one of the `ends`, which is left where it is."""
        parts: list[str] = []
        while True:
            before = self.place
            token = self.next()
            if token in ends or not token:
                self.place = before if token else len(self.latex)
                if not token and "" not in ends:
                    raise ValueError(f"{ends} is missing in the formula {self.latex!r}")
                return "".join(parts)
            if token in ("^", "_"):
                kind = "msup" if token == "^" else "msub"
                base = parts.pop() if parts else "<mrow></mrow>"
                parts.append(f"<{kind}>{base}{self.part(self.next())}</{kind}>")
            else:
                sign = not parts or parts[-1].startswith("<mo>")  # a minus here is a number's own
                parts.append(self.part(token, sign))

    def part(self, token: str, signed: bool = False) -> str:
        name = token[1:] if token.startswith("\\") and token[1:].isalpha() else ""
        if token == "{":
            return f"<mrow>{self.group()}</mrow>"
        if token[:1].isdigit():
            return f"<mn>{token}</mn>"
        if name == "frac":
            return f"<mfrac>{self.part(self.next())}{self.part(self.next())}</mfrac>"
        if name == "left":
            begin = self.next()
            inner = self.row("\\right")
            self.next()
            return f"<mrow><mo>{begin}</mo>{inner}<mo>{self.next()}</mo></mrow>"
        if name == "begin":
            return self.cases()
        if name in ("text", "operatorname"):
            kind = "mtext" if name == "text" else "mi"
            return f"<{kind}>{self.words()}</{kind}>"
        if name == "mathrel":
            return f"<mo>{self.words()}</mo>"
        if name == "quad":
            return '<mspace width="1em"></mspace>'
        if name == "hat":
            self.words()
            return "<mo>^</mo>"
        if name in _FUNCTIONS:
            return f"<mi>{name}</mi>"
        if name in _NAMES or (not name and token.isalpha()):
            return f"<mi>{_NAMES.get(name, token)}</mi>"
        plain = not name and token not in _NO_SIGNS and not token.startswith("\\")
        sign = _SIGNS.get(name or token, html.escape(token) if plain else "")
        if not sign:
            raise ValueError(
                f"{token or 'the end'} has no form in MathML, in the formula {self.latex!r}"
            )
        prefix = ' form="prefix"' if sign == MINUS and signed else ""
        return f"<mo{prefix}>{sign}</mo>"

    def group(self) -> str:
        inner = self.row("}")
        self.next()
        return inner

    def words(self) -> str:
        """What stands in braces, as a reader sees it: `\\&` is a sign, and blanks are kept."""
        begin = self.latex.index("{", self.place) + 1
        depth, end = 1, begin
        while depth:
            if end >= len(self.latex):
                raise ValueError(f"a brace is open in the formula {self.latex!r}")
            if self.latex[end] == "\\":
                end += 1
            else:
                depth += {"{": 1, "}": -1}.get(self.latex[end], 0)
            end += 1
        self.place = end
        text = self.latex[begin : end - 1]
        for written, meant in _IN_WORDS:
            text = text.replace(written, "\0" if meant == "\\" else meant)
        text = re.sub(r"\\(.)", r"\1", text).replace("\0", "\\")
        text = re.sub(r"^ | $", "\N{NO-BREAK SPACE}", text)  # MathML drops blanks at the ends
        return html.escape(text, quote=False)

    def cases(self) -> str:
        self.words()
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(self.row("&", "\\\\", "\\end"))
            match self.next():
                case "\\\\":
                    rows.append([])
                case "\\end":
                    self.words()
                    break
        table = "".join(
            f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in row)}</mtr>" for row in rows
        )
        return f"<mrow><mo>{{</mo><mtable>{table}</mtable></mrow>"
