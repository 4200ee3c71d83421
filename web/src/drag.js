// A leaf's card in the picture is a handle: to the right its number grows.

const PIXELS = 240; // of the pointer, for the whole reach of the slider to one side
const SLACK = 3;

export function dragCards(stage, panel) {
  let held = null;

  const leafAt = (target) => {
    for (let node = target; node && node !== stage; node = node.parentNode) {
      const leaf = panel.leaves.list.find((each) => panel.drawn?.parts.get(each.card) === node);
      if (leaf) return leaf;
    }
    return null;
  };

  stage.addEventListener("pointerdown", (event) => {
    const leaf = event.button === 0 ? leafAt(event.target) : null;
    if (!leaf) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    held = { leaf, from: event.clientX, x: leaf.x, moved: false };
  });
  stage.addEventListener("pointermove", (event) => {
    if (!held) return;
    const across = event.clientX - held.from;
    if (!held.moved && Math.abs(across) < SLACK) return;
    held.moved = true;
    const x = held.x + (across / PIXELS) * held.leaf.reach;
    panel.leaves.drag(held.leaf, Number(x.toPrecision(4)), false);
  });
  const release = () => {
    if (!held) return;
    const { leaf, moved } = held;
    held = null;
    if (moved) panel.leaves.drag(leaf, leaf.x, true);
    else leaf.field.focus();
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
}
