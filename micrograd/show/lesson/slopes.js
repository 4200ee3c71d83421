// What a slope looks like: the operation with its tangent beside the step, and arrows as wide as the
// gradients that went along them. Start with `plot`.
"use strict";
function makeSlopes(svg, box, nodes, cardOf) {
  const MINUS = /\u2212/g, MOST = 2, WIDE = 150, HIGH = 96, EDGE = 8;
  const value = (text) => Number(text.replace(MINUS, "-").replace("∞", "Infinity"));

  function curves(frame) { // where the step says nothing, its operation is a straight line
    return frame.rows.slice(0, MOST).flatMap((row, k) => {
      const x = Number(nodes[row.input].exact), y = Number(nodes[frame.node].exact), slope = value(row.local);
      if (frame.part || row.constant || ![x, y, slope].every(Number.isFinite)) return [];
      const half = Math.max(2, Math.abs(x)), line = [-half, half].map((step) => [x + step, y + slope * step]);
      const points = frame.curves ? frame.curves[k] : line;
      return points.length > 1 ? [{ name: row.name, x, y, slope, points }] : [];
    });
  }

  function plot({ name, x, y, slope, points }) {
    const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    let [low, high] = [Math.min(...ys), Math.max(...ys)];
    const room = (high - low || Math.abs(high) || 1) * 0.12;
    [low, high] = [low - room, high + room];
    const across = (a) => EDGE + (a - left) / (right - left) * (WIDE - 2 * EDGE);
    const up = (b) => HIGH - EDGE - (b - low) / (high - low) * (HIGH - 2 * EDGE);
    const line = points.map(([a, b], k) => `${k ? "L" : "M"}${across(a).toFixed(1)},${up(b).toFixed(1)}`).join("");
    const reach = (right - left) * 0.28;
    const tangent = [x - reach, x + reach].map((a) => [across(a), up(y + slope * (a - x))]);
    const picture = svgElement("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "plot", role: "img",
      "aria-label": `slope ${slope} at ${name} = ${x}` });
    const zero = (b) => b > low && b < high;
    if (zero(0)) picture.append(svgElement("path", { class: "axis", d: `M${EDGE},${up(0)}H${WIDE - EDGE}` }));
    if (left < 0 && right > 0) picture.append(svgElement("path", { class: "axis", d: `M${across(0)},${EDGE}V${HIGH - EDGE}` }));
    picture.append(svgElement("path", { class: "curve", d: line }),
      svgElement("path", { class: "tangent", d: `M${tangent[0].join()}L${tangent[1].join()}` }),
      svgElement("circle", { class: "point", cx: across(x), cy: up(y), r: 3.6 }));
    const words = document.createElement("figcaption");
    words.textContent = `along ${name}: slope ${String(slope).replace("-", "\u2212")}`;
    const figure = document.createElement("figure");
    figure.append(picture, words);
    return figure;
  }

  function arrows(frames, at) { // the product that went along each arrow so far
    const flow = new Map();
    for (const frame of frames.slice(0, at + 1)) {
      if (frame.phase !== "backward") continue;
      frame.rows.forEach((row, k) => {
        const id = frame.part ? `${cardOf(row.input)}-${frame.part}` : `e${frame.node}-${k}`;
        flow.set(id, (frame.part && flow.get(id) || 0) + value(row.product));
      });
      if (!frame.part && frame.rows.length) flow.set(`r${frame.node}`, value(frame.arriving));
    }
    const most = Math.max(...[...flow.values()].map(Math.abs).filter(Number.isFinite), 1e-300);
    svg.querySelectorAll(".edge").forEach((edge) => {
      const size = flow.get(edge.id);
      edge.classList.toggle("up", size > 0);
      edge.classList.toggle("down", size < 0);
      if (size) edge.style.setProperty("--wide", `${(1 + 4 * Math.sqrt(Math.min(1, Math.abs(size) / most))).toFixed(1)}px`);
    });
  }

  function clear() {
    box.replaceChildren();
    svg.querySelectorAll(".edge.up, .edge.down").forEach((edge) => edge.classList.remove("up", "down"));
  }

  function show(frames, at) {
    clear();
    arrows(frames, at);
    box.append(...(frames[at].phase === "backward" ? curves(frames[at]) : []).map(plot));
  }
  return { show, clear };
}
