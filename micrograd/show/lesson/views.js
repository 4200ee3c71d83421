// Where the picture's parts lie, and how close one looks: groups that open, zoom, pan, the small map.
// `makeViews` serves a graph with groups, whose layouts Python worked out; `makeLens` serves any.
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 4;

function svgElement(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function makeViews(svg, lesson, onChange) {
  const { parts, within } = lesson, [places, paths] = [lesson.places, lesson.paths].map((all) => all.split(";"));
  const views = lesson.views.map(([size, cards, at, edges, along, frames, legend]) => { // as packed.py writes them
    const named = (ids, numbers, table) => (ids ? ids.split(" ").map((id, k) => [id, table[numbers[k]]]) : []);
    return { size, frames, legend, cards: Object.fromEntries(named(cards, at, places)),
      edges: named(edges, along, paths) };
  });
  const $ = (id) => document.getElementById(id);
  const paper = svg.querySelector(".paper"), frames = svgElement("g"), edges = svgElement("g"), names = svgElement("g");
  let at = -1;
  svg.querySelectorAll("g.edge").forEach((edge) => edge.remove());
  paper.after(frames, edges, names);
  svg.querySelectorAll("g.group").forEach((frame) => frames.append(frame));
  svg.querySelectorAll("g.caption").forEach((name) => names.append(name));
  const stock = $("stock");
  if (stock) {
    for (const each of [...stock.children]) (each.matches(".group") ? frames : each.matches(".caption") ? names : svg).append(each);
    stock.remove();
  }
  const cards = new Map([...svg.children].filter((e) => e.tagName === "g" && e.id).map((e) => [e.id, e]));

  function head(line) { // of an arrow, where its line ends and as it ends
    const [startX, startY, ...steps] = line.match(/-?\d+/g).map(Number), points = [[startX, startY]];
    if (steps.length === 2) points.push([startX + steps[0], startY + steps[1]]); // a straight one
    for (let k = 0; k + 6 <= steps.length; k += 6) {
      const [x, y] = points.at(-1);
      for (let i = k; i < k + 6; i += 2) points.push([x + steps[i], y + steps[i + 1]]);
    }
    const [x1, y1] = points.at(-1); // a control point that whole pixels put upon the end has no direction
    const [x0, y0] = points.findLast(([x, y]) => Math.hypot(x1 - x, y1 - y) > 2) || points[0];
    const long = Math.hypot(x1 - x0, y1 - y0) || 1, [a, b] = [(x1 - x0) / long, (y1 - y0) / long], at = (ahead, aside) =>
      `${(x1 + ahead * a - aside * b).toFixed(1)},${(y1 + ahead * b + aside * a).toFixed(1)}`;
    return `M${at(0, 2.7)}L${at(7, 0)}L${at(0, -2.7)}z`;
  }

  function move(element, place) { element.setAttribute("transform", `translate(${place})`); }

  function show(k) {
    if (k === at) return;
    at = k;
    const view = views[k];
    for (const [id, element] of cards) {
      const corner = view.cards[id];
      element.style.display = corner ? "" : "none";
      if (corner) move(element, corner);
    }
    for (const each of [...frames.children, ...names.children]) each.style.display = "none";
    for (const [id, [left, top, right, bottom]] of Object.entries(view.frames)) {
      const frame = $(id), box = frame.querySelector(".box");
      for (const each of [frame, $(`${id}-name`)]) {
        each.style.display = "";
        move(each, `${left} ${top}`);
      }
      box.setAttribute("width", right - left);
      box.setAttribute("height", bottom - top);
      frames.append(frame); // an inner one over an outer one
    }
    edges.replaceChildren(...view.edges.map(([id, d]) => {
      const edge = svgElement("g", { id, class: "edge" });
      edge.append(svgElement("path", { d }), svgElement("path", { class: "head", d: head(d) }));
      return edge;
    }));
    const [wide, high] = view.size.map((side) => side + 2 * MARGIN);
    $("legend").hidden = !view.legend.length;
    $("legend").replaceChildren(...view.legend.flatMap(([text, sub]) => {
      const below = document.createElement("sub");
      below.textContent = sub;
      return [text, below, " "];
    }));
    svg.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${wide} ${high}`);
    paper.setAttribute("width", wide);
    paper.setAttribute("height", high);
    onChange();
  }

  const seen = (id) => views[at].cards[id] !== undefined;
  // the card that stands for a node: its own, or that of the closed group around it
  const cardOf = (i) => (seen(`n${i}`) ? `n${i}` : within[i].find(seen) || null);
  const frameOf = (part) => `f${part.slice(1)}`;
  const isOpen = (part) => views[at].frames[frameOf(part)] !== undefined;

  function follow(frame) { // open what hides the step, and close what hides a neuron as a whole
    if (frame.node === undefined) return;
    if (frame.part) {
      if (!seen(frame.part) && !isOpen(frame.part)) show(parts[frame.part].outside);
      return;
    }
    if (seen(`n${frame.node}`)) return;
    const inner = within[frame.node].at(-1);
    if (inner) show(parts[inner].view);
  }

  for (const [part, { kind, view, outside }] of Object.entries(parts)) {
    const handles = [[$(part), view, false], [$(`${frameOf(part)}-name`), outside, true]];
    for (const [element, target, expanded] of handles) {
      if (!element || (kind === "layer" && view === outside)) continue;
      element.setAttribute("role", "button");
      element.setAttribute("tabindex", "0");
      element.setAttribute("aria-expanded", String(expanded));
      element.classList.add("handle");
      const go = () => show(target);
      element.addEventListener("click", go);
      element.addEventListener("keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); go(); } });
    }
  }
  return { show, seen, cardOf, frameOf, isOpen, follow, cards };
}

// Zoom and pan. `stage` scrolls, so that keyboards and screen readers move in it as anywhere.
function makeLens(svg, stage, map, still) {
  const projector = () => document.documentElement.classList.contains("projector");
  const least = () => (projector() ? 1.4 : 0.82); // of 13.5 pixels: 19 from afar, 11 at a desk; nobody reads less
  let chosen = null; // what somebody chose; null: as the window allows
  const natural = () => svg.viewBox.baseVal;
  const fitting = (high) => Math.min((stage.clientWidth - 24) / natural().width, (high - 24) / natural().height);
  const fit = () => fitting(stage.clientHeight);
  const most = () => (projector() ? 3 : 1.3);
  const readable = (whole) => (whole > 18 / 13.5 && projector() ? whole : Math.max(least(), whole));
  const scale = (fits = fit()) => {
    const whole = Math.min(fits, most());
    return chosen === "fit" ? whole : chosen === null ? readable(whole) : chosen;
  };

  function apply() {
    svg.style.width = `${natural().width * scale()}px`;
    svg.style.height = `${natural().height * scale()}px`;
    document.getElementById("zoom").setAttribute("aria-pressed", String(near()));
    drawMap();
  }

  function zoom(to, x = stage.clientWidth / 2, y = stage.clientHeight / 2) { // the point (x, y) stays
    const before = svg.getBoundingClientRect(), outer = stage.getBoundingClientRect();
    const across = (outer.left + x - before.left) / before.width, down = (outer.top + y - before.top) / before.height;
    chosen = typeof to === "number" ? Math.max(0.15, Math.min(4, to)) : to;
    apply();
    const after = svg.getBoundingClientRect();
    stage.scrollBy(after.left + across * after.width - outer.left - x, after.top + down * after.height - outer.top - y);
  }

  stage.addEventListener("wheel", (e) => { // without Ctrl, or focus here, the page scrolls as ever
    if (!e.ctrlKey && document.activeElement !== stage) return;
    e.preventDefault();
    const { left, top } = stage.getBoundingClientRect();
    zoom(scale() * Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.002)), e.clientX - left, e.clientY - top);
  }, { passive: false });

  const pointers = new Map();
  let moved = 0, gap = 0;
  stage.addEventListener("pointerdown", (e) => {
    if (e.button) return;
    pointers.set(e.pointerId, [e.clientX, e.clientY]);
    moved = 0;
    gap = 0;
  });
  stage.addEventListener("pointermove", (e) => {
    if (!pointers.has(e.pointerId)) return;
    const [x, y] = pointers.get(e.pointerId);
    pointers.set(e.pointerId, [e.clientX, e.clientY]);
    moved += Math.abs(e.clientX - x) + Math.abs(e.clientY - y);
    if (pointers.size === 2) {
      const [[ax, ay], [bx, by]] = [...pointers.values()], long = Math.hypot(ax - bx, ay - by);
      const { left, top } = stage.getBoundingClientRect();
      if (gap) zoom(scale() * (long / gap), (ax + bx) / 2 - left, (ay + by) / 2 - top);
      gap = long;
    } else if (moved > 5) {
      if (!stage.hasPointerCapture(e.pointerId)) stage.setPointerCapture(e.pointerId);
      stage.classList.add("dragged");
      stage.scrollBy(x - e.clientX, y - e.clientY);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (e) => {
      pointers.delete(e.pointerId);
      stage.classList.remove("dragged");
      gap = 0;
    });
  }
  stage.addEventListener("click", (e) => { if (moved > 5) e.stopPropagation(); }, true); // a drag is no click

  function drawMap() {
    const cards = [...svg.querySelectorAll(".node")].filter((c) => c.style.display !== "none");
    // whether anything would be out of sight if the map were not there
    const legend = document.getElementById("legend"), high = stage.clientHeight + map.parentElement.offsetHeight - legend.offsetHeight;
    const fits = fitting(high), clipped = scale(fits) > fits + 0.01;
    map.toggleAttribute("hidden", !(clipped && svg.querySelectorAll(".node").length > 60));
    if (map.hasAttribute("hidden")) return;
    const { x, y, width, height } = natural(), k = Math.min(240 / width, 60 / height);
    map.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
    map.style.width = `${width * k}px`;
    map.style.height = `${height * k}px`;
    map.replaceChildren(...cards.map((card) => {
      const { e, f } = card.transform.baseVal.consolidate().matrix, box = card.querySelector(".box");
      const active = card.classList.contains("active") ? "here" : "";
      return svgElement("rect", { x: e, y: f, width: box.getAttribute("width"), height: box.getAttribute("height"), class: active });
    }));
    const s = scale(), whole = svg.getBoundingClientRect(), outer = stage.getBoundingClientRect();
    const left = Math.max(0, (outer.left - whole.left) / s), top = Math.max(0, (outer.top - whole.top) / s);
    map.append(svgElement("rect", { class: "window", x: x + left, y: y + top,
      width: Math.min(width - left, stage.clientWidth / s), height: Math.min(height - top, stage.clientHeight / s) }));
  }
  stage.addEventListener("scroll", drawMap, { passive: true });
  map.addEventListener("pointerdown", (e) => {
    const { left, top, width, height } = map.getBoundingClientRect();
    const whole = svg.getBoundingClientRect(), outer = stage.getBoundingClientRect();
    stage.scrollBy({ left: whole.left + (e.clientX - left) / width * whole.width - outer.left - stage.clientWidth / 2,
      top: whole.top + (e.clientY - top) / height * whole.height - outer.top - stage.clientHeight / 2,
      behavior: still ? "auto" : "smooth" });
  });

  const near = () => scale() > fit() + 0.01;
  return { apply, zoom, near, drawMap, scale, toggle: () => zoom(near() ? "fit" : Math.max(fit(), 0.9)) };
}
