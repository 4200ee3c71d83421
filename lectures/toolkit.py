"""What several lectures share: the look of pictures, moving pictures, tables, a draw and a clock.

What is shown can be read where no kernel runs. Start with `style`; `animate` makes a picture that
moves, `table` one that can be read aloud, `surface` shows a loss as a landscape, `boxes` a plan.
"""

from __future__ import annotations

import base64
import html
import io
import json
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.palette import PALETTE, SERIES
from micrograd.show.graph.picture import Picture

__all__ = [
    "COLOURS",
    "MARKERS",
    "Html",
    "animate",
    "boxes",
    "draw_index",
    "line",
    "machine",
    "milliseconds",
    "small_pictures",
    "style",
    "surface",
    "table",
]

# Okabe and Ito, "Color Universal Design", 2008: told apart with any common colour blindness
COLOURS = SERIES
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def style() -> None:
    """Give every figure of a notebook readable sizes and colours that the colour-blind can tell
    apart.
    """
    plt.rcParams.update(
        {
            "figure.figsize": (8.0, 4.5),
            "figure.dpi": 90,
            "figure.constrained_layout.use": True,
            "font.size": 12,
            "axes.titlesize": 13,
            "axes.titlelocation": "left",
            "axes.prop_cycle": plt.cycler(color=COLOURS[:7]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.grid": True,
            "grid.color": "#e4e4e4",
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            "image.cmap": "cividis",
            "savefig.facecolor": "white",
        }
    )


def small_pictures(colours: int = 128) -> None:
    """From here on a notebook keeps each figure as a PNG of few colours, half the bytes."""
    from IPython import get_ipython

    def png(figure: Figure) -> bytes:
        buffer, small = io.BytesIO(), io.BytesIO()
        figure.savefig(buffer, format="png", bbox_inches="tight")
        image = Image.open(buffer).convert("RGB")
        image.quantize(colours, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
        return small.getvalue()

    shell = get_ipython()
    if shell is not None:  # a script has no outputs to keep small
        plt.close(plt.figure())  # Jupyter's own way is set up with the first figure; ours after it
        shell.display_formatter.formatters["image/png"].for_type(Figure, png)


def milliseconds(run: Callable[[], object], repeats: int = 5) -> float:
    """How long a call of `run` takes: the median of several, in milliseconds."""
    seconds = []
    for _ in range(repeats):
        before = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - before)
    return 1000 * statistics.median(seconds)


def draw_index(weights: np.ndarray, rng: np.random.Generator) -> int:
    """An index drawn with probability weights[i] / sum(weights): where a uniform number falls."""
    cumulative = np.cumsum(weights)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def line(axis: Axes, w: Sequence[float], b: float, level: float = 0.0, **look: Any) -> None:
    """Draw where w . x + b = level in a plane whose limits are set already."""
    limits = axis.get_xlim(), axis.get_ylim()
    w = np.asarray(w, dtype=float)
    if w.any():
        foot = w * (level - b) / (w @ w)
        axis.axline(foot, (foot[0] - w[1], foot[1] + w[0]), **look)
    axis.set(xlim=limits[0], ylim=limits[1])


def machine(
    axis: Axes,
    X: np.ndarray,
    y: np.ndarray,
    score: Callable[[np.ndarray], np.ndarray],
    support: Sequence[int] | np.ndarray = (),
    resolution: int = 120,
) -> None:
    """Points of the classes -1 and +1, where score(points) is -1, 0, 1, and rings on `support`."""
    low, high = X.min(0), X.max(0)
    low, high = low - 0.12 * (high - low), high + 0.12 * (high - low)
    across, up = np.meshgrid(*np.linspace(low, high, resolution).T)
    level = score(np.column_stack([across.ravel(), up.ravel()])).reshape(across.shape)
    axis.contourf(across, up, level, [-np.inf, 0, np.inf], colors=COLOURS[:2], alpha=0.12)
    axis.contour(across, up, level, [-1, 0, 1], colors="#333333", linewidths=(1.2, 2, 1.2),
                 linestyles=("dashed", "solid", "dashed"))  # fmt: skip
    for j, sign in enumerate((-1, 1)):
        look = {"color": COLOURS[j], "marker": MARKERS[j], "edgecolor": "white"}
        axis.scatter(*X[y == sign].T, s=34, lw=0.5, zorder=3, label=f"y = {sign:+d}", **look)
    rings = X[np.asarray(support, dtype=int)]
    width = 1.4 if len(rings) < 30 else 0.8
    axis.scatter(*rings.T, s=130, facecolor="none", edgecolor="black", lw=width, zorder=4)
    axis.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axis.grid(False)


def surface(
    axis: Axes,
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    path: np.ndarray | None = None,
) -> None:
    """The contours of loss(across, up), which takes two arrays, and on them a path (steps, 2).

    Contours stand at equal ratios of the height above the lowest point, so that a long valley
    shows.
    """
    across, up = np.meshgrid(np.linspace(*xlim, 121), np.linspace(*ylim, 121))
    height = loss(across, up)
    height = height - height.min()
    levels = np.geomspace(max(np.quantile(height, 0.002), 1e-12), height.max(), 16)
    axis.contourf(across, up, height, [0.0, *levels], cmap="Blues", alpha=0.7, norm="symlog")
    axis.contour(across, up, height, levels, colors="#7b8794", linewidths=0.6)
    if path is not None:
        axis.plot(*path.T, "-o", color=COLOURS[1], markersize=4, linewidth=1.4)
    axis.grid(False)
    axis.set(xlim=xlim, ylim=ylim)


def boxes(
    contents: Mapping[str, Sequence[str]],
    arrows: Iterable[Sequence[str]],
    description: str,
    *,
    back: Iterable[Sequence[str]] = (),
    fills: Mapping[str, str] | None = None,
    rankdir: str = "LR",
) -> Picture:
    """Boxes and arrows in the look of `draw`: {name: (title, further lines)}, (from, to[, words]).

    Arrows in `back` are dashed and do not shape the layout. `fills` gives a box's colour, by its
    name in the pictures' palette or as #rrggbb.
    """
    cards = [
        Card(
            f"b{i}",
            "interior",
            (Cell((Run(title, "name"),)), *(Cell((Run(line, "small"),)) for line in lines)),
            stacked=True,
            fill=_fill((fills or {}).get(name, "box")),
        )
        for i, (name, (title, *lines)) in enumerate(contents.items())
    ]
    ids = {name: card.id for name, card in zip(contents, cards, strict=True)}
    edges = [
        Edge(f"e{k}", ids[source], ids[target], label=" ".join(words), back=is_back)
        for k, (is_back, (source, target, *words)) in enumerate(
            [(False, arrow) for arrow in arrows] + [(True, arrow) for arrow in back]
        )
    ]
    return Picture(Drawing(tuple(cards), tuple(edges), (), description, rankdir, gaps=(25.0, 36.0)))


def _fill(name: str) -> str:
    return f"var(--micrograd-{name.replace('_', '-')})" if name in PALETTE else name


class Html:
    """A piece of HTML that Jupyter shows; `text` is what a terminal shows instead."""

    def __init__(self, markup: str, text: str) -> None:
        self.markup = markup
        self.text = text

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return self.text


def table(rows: Iterable[Sequence[Any]], headers: Sequence[str], caption: str = "") -> Html:
    """Rows as a table, numbers to the right; floats show four significant digits, strings stand as
    given.
    """
    cells = [[_shown(x) for x in row] for row in rows]
    for row in cells:
        if len(row) != len(headers):
            raise ValueError(f"a row of {len(row)} cells {row} under {len(headers)} headers")
    sides = ["left" if any(isinstance(x, str) for x in column) else "right" for column in
             zip(*cells, strict=True)] or ["left"] * len(headers)  # fmt: skip

    def line(tag: str, row: Sequence[Any]) -> str:
        return "<tr>" + "".join(
            f'<{tag} style="text-align:{side};padding:0.25em 0.9em">{html.escape(str(x))}</{tag}>'
            for x, side in zip(row, sides, strict=True)
        ) + "</tr>"  # fmt: skip

    body = "".join(line("td", row) for row in cells)
    title = (
        '<caption style="text-align:left;font-weight:bold;white-space:nowrap">'
        f"{html.escape(caption)}</caption>"
        if caption
        else ""
    )
    markup = f"<table>{title}<thead>{line('th', headers)}</thead><tbody>{body}</tbody></table>"
    widths = [max(len(str(row[i])) for row in [headers, *cells]) for i in range(len(headers))]
    text = "\n".join(
        "  ".join(str(x).rjust(w) for x, w in zip(row, widths, strict=True))
        for row in [headers, *cells]
    )
    return Html(markup, f"{caption}\n{text}" if caption else text)


class _Number:
    """A number as shown, so that its column stands to the right."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def _shown(x: Any) -> Any:
    if isinstance(x, str):
        return x
    if isinstance(x, (int, bool)):
        return _Number(f"{x:,}" if not isinstance(x, bool) else str(x))
    number = float(x)
    whole = number.is_integer() and abs(number) < 1e9
    return _Number(f"{number:,.0f}" if whole else f"{number:.4g}")


def animate(
    draw: Callable[[Figure, int], str],
    frames: int,
    *,
    title: str,
    size: tuple[float, float] = (7.0, 4.5),
    seconds: float = 0.6,
    colours: int = 48,
) -> Html:
    """Show `frames` pictures one after another: `draw(figure, i)` paints the i-th and returns its
    caption.

    One piece of HTML under 1 MB that needs neither kernel nor network: a slider, buttons, arrow
    keys. Where scripts are stripped (GitHub, an untrusted notebook) the last picture remains.
    """
    pictures, captions = [], []
    figure = plt.figure(figsize=size, dpi=80)
    for i in range(frames):
        figure.clear()
        captions.append(draw(figure, i) or "")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=80)
        image = Image.open(buffer).convert("RGB")
        image = image.quantize(colours, dither=Image.Dither.NONE)
        small = io.BytesIO()
        image.save(small, format="png", optimize=True)
        pictures.append("data:image/png;base64," + base64.b64encode(small.getvalue()).decode())
    plt.close(figure)
    width, height = image.size
    page = (
        _PLAYER.replace("@TITLE", html.escape(title))
        .replace("@WIDTH", str(width))
        .replace("@SECONDS", str(round(seconds * 1000)))
        .replace("@FRAMES", json.dumps(pictures))
        .replace("@CAPTIONS", json.dumps(captions).replace("<", "\\u003c"))
    )
    last = html.escape(f"{title}. {captions[-1]}")
    markup = (
        f'<div style="display:grid;max-width:{width}px">'
        f'<img style="grid-area:1/1;width:100%" alt="{last}" src="{pictures[-1]}">'
        f'<iframe style="grid-area:1/1;width:100%;height:{height + 96}px;border:0;background:white"'
        f' sandbox="allow-scripts" title="{html.escape(title)}" srcdoc="{html.escape(page)}">'
        "</iframe></div>"
    )
    if len(markup) > 1_000_000:
        raise ValueError(
            f"the animation takes {len(markup):,} bytes, over 1,000,000: "
            "draw fewer frames, or a smaller size"
        )
    return Html(markup, f"{title} ({frames} pictures; open the notebook in a browser to play)")


_PLAYER = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>@TITLE</title><style>
body{margin:0;font:15px system-ui,sans-serif;color:#222;background:#fff;max-width:@WIDTHpx}
img{width:100%;display:block}p{margin:2px 6px;min-height:40px}
div{display:flex;gap:6px;align-items:center;padding:0 6px}input{flex:1;min-width:80px}
button{font:inherit;padding:3px 11px;cursor:pointer}output{min-width:4em;text-align:right}</style>
<img id="i" alt=""><p id="c" aria-live="polite"></p><div>
<button id="b" aria-label="previous picture">&#9664;</button><button id="p">Play</button>
<button id="f" aria-label="next picture">&#9654;</button>
<input id="s" type="range" min="0" value="0" aria-label="picture"><output id="n"></output></div>
<script>
const frames=@FRAMES,captions=@CAPTIONS,$=id=>document.getElementById(id);let at=0,timer=null;
function show(i){at=Math.max(0,Math.min(frames.length-1,i));
$("i").src=frames[at];$("i").alt=captions[at];
$("c").textContent=captions[at];$("s").value=at;$("n").textContent=(at+1)+" / "+frames.length}
function stop(){clearInterval(timer);timer=null;$("p").textContent="Play"}
function play(){if(timer){stop();return}if(at==frames.length-1)show(0);$("p").textContent="Pause";
timer=setInterval(()=>{if(at==frames.length-1)stop();else show(at+1)},@SECONDS)}
$("s").max=frames.length-1;$("s").oninput=e=>{stop();show(+e.target.value)};
$("b").onclick=()=>{stop();show(at-1)};$("f").onclick=()=>{stop();show(at+1)};$("p").onclick=play;
document.onkeydown=e=>{if(e.target.id=="s"||e.target.tagName=="BUTTON"&&e.key==" ")return;
if(e.key=="ArrowLeft"){stop();show(at-1)}else if(e.key=="ArrowRight"){stop();show(at+1)}
else if(e.key==" "){play();e.preventDefault()}};show(0);
</script></html>"""
