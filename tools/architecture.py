"""Draws the pictures of docs/architecture.md: how data flows through the package.

`python -m tools.architecture` writes them again; look at them before committing.
"""

from __future__ import annotations

from micrograd.show.render import render
from tools.notebooks import ROOT

__all__ = ["PICTURES", "main"]

FOLDER = ROOT / "docs" / "architecture"

STYLE = """
  rankdir={direction} bgcolor=white nodesep=0.25 ranksep=0.4
  node [shape=box style="rounded,filled" fillcolor="#f4f6fb" color="#5b6b8c" fontname="Helvetica"
        fontsize=12 margin="0.16,0.09"]
  edge [color="#5b6b8c" fontname="Helvetica" fontsize=11 fontcolor="#3c4760" arrowsize=0.7]
"""

# name -> direction, content; boxes are data, words on arrows say what turns one into the next
PICTURES: dict[str, tuple[str, str]] = {
    "backward": (
        "TB",
        r"""
  expression [label="tanh(x*w + b)\nPython runs it"]
  scalars [label="a graph of Values:\ndata, rule, inputs"]
  order [label="the same nodes,\ninputs before outputs"]
  grads [label="every node's grad"]
  table [label="a row of the op table:\nforward and partial derivatives" fillcolor="#fdf3e1"]
  expression -> scalars [label="  record"]
  scalars -> order [label="  topological_order"]
  order -> grads [label="  backward: push,\n  last node first"]
  table -> scalars [style=dashed label="  forward"]
  table -> grads [style=dashed label="  partial derivatives"]
""",
    ),
    "lifted_call": (
        "TB",
        r"""
  subgraph cluster_first { label="the first call with these shapes" fontname="Helvetica"
    color="#c9d1e3"
    function [label="your function and its arguments"]
    tape [label="tape: one line a scalar operation"]
    nodes [label="nodes: chains of + and * are sums and dots"]
    groups [label="groups of like nodes, each with addresses"]
    instructions [label="instructions: loops with strides"]
    program [label="program: steps over arrays, as data"]
    code [label="code of an executor: NumPy calls, or native"]
    function -> tape [label="  run once on traced\n  Values: record, watch"]
    tape -> nodes [label="  fuse"]
    nodes -> groups [label="  schedule, merge"]
    groups -> instructions [label="  strides"]
    instructions -> program [label="  steps/lower; steps/adjoint\n  adds the backward steps"]
    program -> code [label="  run/"]
  }
  subgraph cluster_each { label="each later call" fontname="Helvetica" color="#c9d1e3"
    numbers [label="numbers of the arguments"]
    buffers [label="one buffer for this call" ]
    results [label="Values: one node of the graph, its results"]
    numbers -> buffers [label="  copied in"]
    buffers -> results [label="  forward"]
    results -> buffers [label="  backward" constraint=false labelfloat=true]
  }
  store [label="parameters in one array\n(store.py)" fillcolor="#fdf3e1"]
  code -> buffers [style=dashed label="  runs on"]
  store -> buffers [style=dashed label="  read where they live;\n  gradients added"]
""",
    ),
    "picture": (
        "TB",
        r"""
  value [label="a Value"]
  walk [label="nodes and edges,\nwith labels"]
  dot [label="DOT"]
  picture [label="SVG, PNG, PDF"]
  lesson [label="steps of backward:\nformula, numbers"]
  page [label="a page that steps,\nasks and checks"]
  sheet [label="a worksheet\nand its answers"]
  value -> walk [label="  draw"]
  walk -> dot [label="  cards, picture"]
  dot -> picture [label="  render (Graphviz), svg"]
  value -> lesson [label="  walk, formulas"]
  lesson -> page [label="  stepper"]
  lesson -> sheet [label="  worksheet"]
  picture -> page [style=dashed]
  picture -> sheet [style=dashed]
""",
    ),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (direction, body) in PICTURES.items():
        dot = "digraph {" + STYLE.replace("{direction}", direction) + body + "}"
        (FOLDER / f"{name}.svg").write_bytes(render(dot, "svg"))


if __name__ == "__main__":
    main()
