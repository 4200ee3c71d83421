// Texts that leave the box that they stand in, below `arguments[0]` or on the whole page: cards of pictures,
// and whatever has a border or a ground of its own. Gives their texts; `wider` where the page is.
const root = arguments[0] || document.body, found = [], ROOM = 1;
if (root === document.body && document.documentElement.scrollWidth > innerWidth + 1) found.push("wider than its window");
const shown = (element) => element.textContent.trim() && element.getClientRects().length
  && getComputedStyle(element).visibility === "visible" && getComputedStyle(element).opacity !== "0";
const apart = (a, b) => a.x + a.width < b.x + ROOM || b.x + b.width < a.x + ROOM
  || a.y + a.height < b.y + ROOM || b.y + b.height < a.y + ROOM;
for (const text of root.querySelectorAll("svg text")) {
  const card = text.closest("g"), box = card && card.querySelector(".box");
  if (!box || !shown(text)) continue;
  const inner = text.getBBox(), outer = box.getBBox();
  if (inner.x < outer.x + 0.5 || inner.x + inner.width > outer.x + outer.width - 0.5
    || inner.y < outer.y - ROOM || inner.y + inner.height > outer.y + outer.height + ROOM) found.push(text.textContent);
  for (const rule of card.querySelectorAll(".rule")) { // between two cells
    const { x, width } = rule.getBBox();
    if (width < 1 && inner.x < x - 0.5 && inner.x + inner.width > x + 0.5) found.push(`${text.textContent} across a line`);
  }
  for (let next = text.nextElementSibling; next; next = next.nextElementSibling)
    if (next.matches("text") && shown(next) && !apart(inner, next.getBBox())) found.push(`${text.textContent} on ${next.textContent}`);
}
for (const picture of root.querySelectorAll("svg.micrograd-picture")) {
  const whole = picture.getBoundingClientRect(), boxes = [];
  if (!whole.width) continue;
  for (const box of picture.querySelectorAll(".node > .box, .op > .box"))
    if (shown(box.parentNode)) boxes.push(box.getBoundingClientRect());
  const free = []; // beside arrows, below the picture
  for (const text of picture.querySelectorAll("text")) {
    if (!shown(text)) continue;
    const own = text.getBoundingClientRect();
    if (own.left < whole.left - ROOM || own.right > whole.right + ROOM || own.top < whole.top - ROOM
      || own.bottom > whole.bottom + ROOM) found.push(`${text.textContent} cut`);
    if (!text.closest("g:has(> .box)")) free.push(text);
  }
  for (const [k, text] of free.entries()) {
    const own = text.getBoundingClientRect();
    if (boxes.some((box) => !apart(own, box))) found.push(`${text.textContent} on a card`);
    for (const other of free.slice(k + 1))
      if (!apart(own, other.getBoundingClientRect())) found.push(`${text.textContent} on ${other.textContent}`);
  }
}
const seen = (style) => style.backgroundColor !== "rgba(0, 0, 0, 0)" || style.boxShadow !== "none";
const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  if (!node.data.trim() || node.parentElement.closest("svg, script, style, [hidden]")) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const text of range.getClientRects()) {
    for (let box = node.parentElement; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box), outer = box.getBoundingClientRect();
      if (/auto|scroll|hidden/.test(style.overflowX + style.overflowY)) break;
      if (style.display === "inline" && !seen(style)) continue;
      const side = (name) => seen(style) || parseFloat(style[`border${name}Width`]) > 0;
      const out = (side("Left") && text.left < outer.left - ROOM) || (side("Right") && text.right > outer.right + ROOM)
        || (seen(style) && style.display !== "inline" && (text.top < outer.top - ROOM || text.bottom > outer.bottom + ROOM));
      if (out) found.push(`${node.data.trim()} in ${box.tagName}.${box.className}`);
    }
  }
}
return found;
