"""Every colour of the pictures, once, as it looks on light and on dark paper; and their styles.

Pictures name their parts by class, and the style sheet here gives the classes their colours, so
that an SVG follows light and dark pages wherever it is shown. Read `PALETTE`, then `style_sheet`.
"""

from __future__ import annotations

__all__ = [
    "BROAD_FONT", "DARK_HOSTS", "FONT", "LIGHT_HOSTS", "PALETTE", "SERIES",
    "WHITE_PAGES", "style_sheet",
]  # fmt: skip

PALETTE = {  # name: (light, dark); blue and orange differ for every kind of colour vision
    "paper": ("#ffffff", "#16191d"),
    "box": ("#fbfbfa", "#22272e"),
    "ink": ("#1f2328", "#e6e9ec"),
    "muted": ("#5f6871", "#a3adb8"),
    "line": ("#7d8690", "#77818c"),
    "op": ("#eceef0", "#343b44"),
    "parameter": ("#5b3f8c", "#b79df0"),
    "result": ("#fff4cc", "#453a12"),
    "group": ("#f3f5f7", "#1d2126"),
    "plus": ("#ddebf9", "#16375a"),
    "plus_ink": ("#0a4f94", "#8fc6ff"),
    "minus": ("#fde6d5", "#56300f"),
    "minus_ink": ("#9a3c00", "#ffb681"),
}

SERIES = (  # of plots: Okabe and Ito's, which every kind of colour vision tells apart
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442",
)  # fmt: skip

DARK_HOSTS = (  # notebooks whose theme is not the system's
    '[data-jp-theme-light="false"]', ".vscode-dark", ".vscode-high-contrast", 'html[theme="dark"]',
)  # fmt: skip
LIGHT_HOSTS = (
    '[data-jp-theme-light="true"]', ".vscode-light", ".vscode-high-contrast-light",
    'html[theme="light"]',
)  # fmt: skip
WHITE_PAGES = (".border-box-sizing",)  # by nbconvert's classic template, whatever the system says
# resvg and Typst take the first that is installed, and draw nothing where none is
FONT = "Helvetica,Arial,'Liberation Sans','DejaVu Sans','Noto Sans',Verdana,sans-serif"
BROAD_FONT = "'DejaVu Sans','Noto Sans'," + FONT  # for letters that Arial lacks
HERE = ".micrograd-picture"
_RULES = {  # what the classes of `svg.py` look like; {name} is a colour of the palette
    "text": f"font-family:{FONT};font-size:13.5px;fill:{{muted}};text-rendering:geometricPrecision",
    ".paper": "fill:{paper}",
    ".name,.data,.ink": "fill:{ink}",
    ".name": "font-weight:bold",
    ".sub": "font-size:10px",
    ".small": "font-size:12px",
    ".box": "fill:{box};stroke:{line}",
    ".rim": "fill:{paper};stroke:{line}",
    ".rule": "stroke:{line}",
    ".bar": "fill:{parameter}",
    ".cell": "fill:none",
    ".constant .box": "stroke-dasharray:4 3",
    ".filled .box": "fill:{result}",
    ".op .box": "fill:{op}",
    ".op text": "fill:{ink};font-size:15px",
    ".closed .back": "fill:{group};stroke:{line}",
    ".group .box": "fill:{group};stroke:{line};stroke-dasharray:2 3",
    ".ground": "fill:{group}",
    ".edge path": "fill:none;stroke:{line}",
    ".edge .head": "fill:{line}",
    ".edge.dashed path": "stroke-dasharray:5 4",
    ".grad-plus .cell": "fill:{plus}",
    ".grad-plus .grad": "fill:{plus_ink}",
    ".grad-minus .cell": "fill:{minus}",
    ".grad-minus .grad": "fill:{minus_ink}",
}


def style_sheet(theme: int | None = None) -> str:
    """The rules in the colours of theme 0 (light) or 1 (dark); without one as the page says."""
    if theme is not None:
        colours = {name: pair[theme] for name, pair in PALETTE.items()}
        return "\n".join(_rules(colours))
    names = {name: f"--micrograd-{name.replace('_', '-')}" for name in PALETTE}
    light, dark = (
        ";".join(f"{names[name]}:{pair[k]}" for name, pair in PALETTE.items()) for k in (0, 1)
    )
    rules = [f"{HERE}{{{light}}}", f"@media(prefers-color-scheme:dark){{{HERE}{{{dark}}}}}"]
    for hosts, colours_ in ((LIGHT_HOSTS, light), (DARK_HOSTS, dark)):
        rules.append(",".join(f"{host} {HERE}" for host in hosts) + f"{{{colours_}}}")
    return "\n".join(rules + _rules({name: f"var({variable})" for name, variable in names.items()}))


def _rules(colours: dict[str, str]) -> list[str]:
    return [
        ",".join(f"{HERE} {one}" for one in selector.split(","))
        + "{" + look.format_map(colours) + "}"
        for selector, look in _RULES.items()
    ]  # fmt: skip
