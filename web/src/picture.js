// A picture of the package, as elements of this page: rebuilt from its SVG by a list of what may be
// there, so that nothing else comes along, whoever wrote the text.

const SVG = "http://www.w3.org/2000/svg";
const ELEMENTS = new Set(["svg", "g", "rect", "path", "text", "tspan", "title", "circle", "ellipse"]);
const ATTRIBUTES = new Set([
  "class", "transform", "x", "y", "dy", "width", "height", "rx", "ry", "cx", "cy", "r", "d", "viewBox",
  "textLength", "lengthAdjust", "text-anchor", "role", "aria-label",
]); // prettier-ignore
const MOST = 20_000; // elements
const LEAST = 0.55; // of its own size

export class Drawn {
  /** Throws where `text` is no SVG. Ids become keys of `parts`: the page's own are not touched. */
  constructor(text) {
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    if (parsed.documentElement.localName !== "svg") throw new Error("this is no picture");
    this.parts = new Map();
    this.count = 0;
    this.svg = this.copy(parsed.documentElement);
    // as wide as its place, but not so small that nobody can read it: then its place scrolls
    const wide = Number(this.svg.getAttribute("width")) || 0;
    Object.assign(this.svg.style, { maxWidth: "100%", minWidth: `${(wide * LEAST).toFixed(0)}px`, height: "auto" });
  }

  copy(source) {
    if (++this.count > MOST) throw new Error("this picture is too large for the page");
    const element = document.createElementNS(SVG, source.localName);
    for (const { name, value } of source.attributes) {
      if (ATTRIBUTES.has(name)) element.setAttribute(name, value);
      else if (name === "id") this.parts.set(value, element);
    }
    for (const child of source.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) element.append(child.data);
      else if (child.nodeType === Node.ELEMENT_NODE && this.allowed(child)) {
        element.append(this.copy(child));
      }
    }
    return element;
  }

  allowed(element) {
    return element.namespaceURI === SVG && ELEMENTS.has(element.localName);
  }

  /** Other numbers on some cards: [card, data, its width, grad, its width, sign of grad]. */
  show(cards) {
    for (const [card, data, dataWidth, grad, gradWidth, sign] of cards) {
      this.write(`${card}-data`, data, dataWidth);
      this.write(`${card}-grad`, grad, gradWidth);
      const { classList } = this.parts.get(card) ?? { classList: new Set() };
      classList[sign > 0 ? "add" : "remove"]?.("grad-plus");
      classList[sign < 0 ? "add" : "remove"]?.("grad-minus");
    }
  }

  write(id, text, width) {
    const element = this.parts.get(id);
    if (!element) return;
    element.textContent = text;
    element.setAttribute("textLength", width.toFixed(1));
  }
}
