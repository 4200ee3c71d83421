// Every step as a slide to print: one on a page, or several. Where the whole picture would be too
// small to read, a slide shows what the step is about. Start with `makeSlides`.
"use strict";
const POINTS = 7.2; // the smallest letters of a graph on paper
const MOST_ROWS = 3; // of a table on a sixth of a page
const MOST_LINES = 12; // beyond them a list takes the place of the graph
const ROOM = { // millimetres for the graph, with few rows below it and with many
  one: [[274, 98], [274, 80]], two: [[130, 84], [130, 84]], six: [[86, 36], [86, 36]], wide: [[264, 57], [264, 90]],
};

// `linesOf` says how many lines of arithmetic a step has, `dress` what paper shows of it
function makeSlides(svg, linesOf, count, show, dress, grouped) {
  const each = grouped || Math.max(...Array.from({ length: count() }, (_, k) => linesOf(k))) > MOST_ROWS ? "two" : "six";

  function boxOf(element) {
    const { e, f } = element.transform.baseVal.consolidate()?.matrix || { e: 0, f: 0 };
    const { x, y, width, height } = element.getBBox();
    return [e + x, f + y, e + x + width, f + y + height];
  }

  function about() { // the rectangle around what takes part in this step
    const parts = [...svg.querySelectorAll(".node.active, .node.lit, g.op.flow")].filter((e) => e.style.display !== "none");
    const boxes = parts.map(boxOf);
    return boxes.length && svg.querySelector(".node.active, .group.active")
      ? [0, 1, 2, 3].map((side) => Math[side < 2 ? "min" : "max"](...boxes.map((box) => box[side]))) : null;
  }

  // a part of the picture as large as letters of POINTS allow, around the step; null: it does not fit
  function cut([wide, high]) {
    const unit = (13.5 / POINTS) * (72 / 25.4), whole = svg.viewBox.baseVal; // pixels of the picture in a millimetre
    const size = [Math.min(whole.width, wide * unit), Math.min(whole.height, high * unit)];
    if (size[0] === whole.width && size[1] === whole.height) return "";
    const box = about();
    if (!box || box[2] - box[0] > size[0] || box[3] - box[1] > size[1]) return null;
    const start = [[whole.x, whole.width], [whole.y, whole.height]].map(([low, long], k) =>
      Math.max(low, Math.min((box[k] + box[k + 2] - size[k]) / 2, low + long - size[k])));
    return [...start, ...size].map((n) => n.toFixed(1)).join(" ");
  }

  function slide(k, layout) {
    const many = Number(linesOf(k) > MOST_ROWS), section = document.createElement("section"), picture = svg.cloneNode(true);
    let part = cut(ROOM[layout][many]);
    section.className = `slide ${many ? "many" : ""}`;
    if (part === null && layout !== "one") { // it takes the whole width
      part = cut(ROOM.wide[many]);
      section.classList.add("wide");
    }
    if (part) picture.setAttribute("viewBox", part);
    const [, , width, height] = picture.getAttribute("viewBox").split(" ");
    for (const [name, long] of Object.entries({ width, height })) picture.setAttribute(name, long); // paper keeps their ratio
    picture.removeAttribute("style");
    picture.querySelectorAll('[style*="display: none"]').forEach((e) => e.remove());
    section.append(...(linesOf(k) > MOST_LINES ? [] : [picture]), ...["said", "work"].map((name) => document.querySelector(`.${name}, #${name}`).cloneNode(true)));
    section.querySelectorAll("[id]").forEach((e) => e.removeAttribute("id"));
    section.querySelectorAll("[tabindex]").forEach((e) => e.removeAttribute("tabindex"));
    return section;
  }

  function make(several) {
    const layout = several ? each : "one";
    if (several) document.body.classList.add(each);
    const made = Array.from({ length: count() }, (_, k) => {
      show(k);
      dress();
      return slide(k, layout);
    });
    document.body.append(...made);
    document.body.classList.add("printing");
  }

  function clear() {
    document.body.classList.remove("printing", "two", "six");
    document.querySelectorAll(".slide").forEach((each) => each.remove());
  }
  return { make, clear, each };
}
