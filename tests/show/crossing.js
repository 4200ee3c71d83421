// Texts that leave the box that they stand in, below `arguments[0]` or on the whole page: cards of pictures,
// and whatever has a border or a ground of its own. Gives their texts; `wider` where the page is.
const root = arguments[0] || document.body, found = [], ROOM = 1;
if (root === document.body && document.documentElement.scrollWidth > innerWidth + 1) found.push("wider than its window");
for (const text of root.querySelectorAll("svg text")) {
  const card = text.closest("g"), box = card && card.querySelector(".box");
  if (!box || !text.textContent || !text.getClientRects().length || card.matches(".group")) continue;
  const inner = text.getBBox(), outer = box.getBBox();
  if (inner.x < outer.x + 0.5 || inner.x + inner.width > outer.x + outer.width - 0.5) found.push(text.textContent);
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
