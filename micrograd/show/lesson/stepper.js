// The stepper's page: shows the frames that Python worked out. It computes no gradient of its own.
// Start with `state` (what stands on the cards at a step), then `show` (which puts it there).
"use strict";
(() => {
  const swapped = document.getElementById("lesson").textContent; // its quotes: see stepper.py
  const lesson = JSON.parse(swapped.replace(/["']/g, (c) => (c === '"' ? "'" : '"')));
  const { nodes, quiz } = lesson;
  const neurons = (lesson.neurons || []).map((f) => (typeof f === "number" ? lesson.frames[f] : f));
  let frames = neurons.length ? neurons : lesson.frames; // by neuron, or by operation
  const $ = (id) => document.getElementById(id);
  const svg = document.querySelector("svg.micrograd-picture");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const WAIT = 1600; // milliseconds a step while it plays
  const PHASES = { forward: "Forward", backward: "Backward", gradients: "Gradients", update: "Update" };
  let at = 0, timer = null, form = "formula";

  function el(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children); // strings become text: nothing here is ever parsed as markup
    return element;
  }
  const hush = () => { $("tip").hidden = true; };
  const chip = (kind, text) => el("span", { class: `number ${kind}` }, text);

  // --- what stands on the cards at a step ------------------------------------------------------------

  const solved = frames.map(() => new Map()); // quiz: input -> {first: right at the first try}
  const open = (k) => (frames[k].questions || []).filter((q) => !solved[k].has(q.input));
  const barrier = () => {
    const k = quiz ? frames.findIndex((_, i) => open(i).length > 0) : -1;
    return k < 0 ? frames.length - 1 : k;
  };

  function state(k) {
    // a gradient that no step has reached is blank; where backward is done, it is 0
    const done = frames.slice(0, k + 1).some(({ phase }) => phase === "gradients");
    const data = nodes.map(() => ""), grads = nodes.map(() => [done ? "0.0000" : "", ""]);
    for (let i = 0; i <= k; i++) {
      for (const [node, text] of frames[i].data || []) data[node] = text;
      for (const [node, text, sign] of frames[i].grads || []) grads[node] = [text, sign];
    }
    for (const q of open(k)) grads[q.input] = ["?", "asked"];
    return { data, grads };
  }

  const lens = makeLens(svg, $("graph"), $("map"), still);
  const views = lesson.views ? makeViews(svg, lesson, () => { lens.apply(); if (cards) refresh(); }) : null;
  const element = (i) => (views ? $(views.cardOf(i)) : cards[i].group);
  let cards = null;
  cards = nodes.map((_, i) => {
    const group = $(`n${i}`), grad = $(`n${i}-grad`);
    const card = { group, grad, data: $(`n${i}-data`), shown: {} };
    if (views || nodes.length <= 60) group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    group.addEventListener("click", () => jump(i));
    group.addEventListener("keydown", (e) => { if (e.key === "Enter") jump(i); });
    group.addEventListener("pointerenter", () => tell(i));
    group.addEventListener("pointerleave", hush);
    group.addEventListener("focus", () => { if (group.matches(":focus-visible")) tell(i); });
    group.addEventListener("blur", hush);
    return card;
  });
  svg.setAttribute("role", "group");

  function put(element, text) { // a text that says how long it is overflows no box, whatever its font
    const long = [...text].reduce((sum, c) => sum + (lesson.widths[c] || 0.6), 0) * 13.5;
    element.textContent = text;
    if (text) element.setAttribute("textLength", long.toFixed(1));
    else element.removeAttribute("textLength");
  }

  // a group's card shows the numbers of its result
  const groups = !views ? [] : Object.entries(lesson.parts).filter(([id]) => $(id)).map(([id, { output }]) =>
    ({ id, output, group: $(id), data: $(`${id}-data`), grad: $(`${id}-grad`), shown: {} }));

  // a leaf inside a closed group lights no card: a weight that all examples share is not example 1
  const LEAVES = /^(input|parameter|constant)/;
  const litOf = ({ lit }) => lit.filter((i) => !views || views.seen(`n${i}`) || !LEAVES.test(nodes[i].kind));

  function paint(frame, { data, grads }) {
    const standing = (i) => (views ? views.cardOf(i) : `n${i}`);
    const lit = new Set(litOf(frame).map(standing)), active = frame.node;
    const here = active === undefined ? "" : frame.part && views.seen(frame.part) ? frame.part : standing(active);
    const all = [...cards.map((card, i) => [card, i, `n${i}`]), ...groups.map((card) => [card, card.output, card.id])];
    all.forEach(([card, i, id]) => {
      const [text, sign] = i < 0 ? ["", ""] : grads[i];
      const classes = [
        i < 0 || data[i] ? "" : "pending", sign && `grad-${sign}`, id === here ? "active" : "",
        lit.has(id) ? "lit" : "",
      ].join(" ");
      const now = { data: i < 0 ? "" : data[i], grad: i >= 0 && data[i] ? text : "", classes };
      if (card.data && now.data !== card.shown.data) put(card.data, now.data);
      if (card.grad && now.grad !== card.shown.grad) put(card.grad, now.grad);
      if (now.classes !== card.shown.classes) {
        card.group.classList.remove("pending", "grad-plus", "grad-minus", "grad-asked", "active", "lit");
        card.group.classList.add(...classes.split(" ").filter(Boolean));
      }
      card.shown = now;
    });
    svg.querySelectorAll(".flow").forEach((e) => e.classList.remove("flow", "back"));
    svg.querySelectorAll(".group.active").forEach((e) => e.classList.remove("active"));
    if (frame.part && views.isOpen(frame.part)) $(views.frameOf(frame.part)).classList.add("active");
    if (active === undefined || frame.phase === "update" || !frame.lit.length) return;
    const parts = [$(`o${active}`), $(`r${active}`)];
    for (let k = 0; $(`e${active}-${k}`); k++) parts.push($(`e${active}-${k}`));
    if (here && here[0] === "g") parts.push(...svg.querySelectorAll(`.edge[id$="-${here}"]`));
    for (const part of parts.filter(Boolean)) {
      part.classList.add("flow");
      if (frame.phase === "backward") part.classList.add("back");
    }
  }

  // --- the words and the arithmetic ------------------------------------------------------------------

  const same = (a, b) => a.replace(/ /g, "") === b.replace(/ /g, "");

  function equation([left, formula, numbers, result], sign = "=") {
    const told = same(left, formula) ? [numbers, formula] : [formula, numbers]; // a+b is no news of a + b
    const members = [left, form === "formula" ? told[0] || told[1] : numbers || formula, result];
    const line = el("p", { class: "equation" });
    members.filter(Boolean).forEach((text, k, all) => {
      if (k && same(text, all[k - 1])) return;
      if (k) line.append(el("span", { class: "sign" }, k === 1 ? ` ${sign} ` : " = "));
      line.append(el("span", { class: k && text === result ? "result" : "" }, text));
    });
    return line;
  }

  function guide() { // the one idea of the lesson, in the colours of the tables to come
    const rule = el("p", { class: "equation" }, "grad of an input  +=  ", chip("local", "local derivative"), " × ",
      chip("arriving", "gradient arriving"));
    const use = [["← →", "one step", "key"], ["space", "play, pause", "key"], ["click a card", "go to its step", ""],
      ["point at a card", "all that is known of it", "key"], ["Ctrl + wheel, + −", "closer", "key"],
      ["F", "for a projector", "key"], ["P", `print, Shift: ${slides.each} on a page`, "key"], ["pinch, drag", "closer, and along", "touch"]];
    if (views) use.push(["click a group", "opens or closes it", ""]);
    const asks = quiz ? [el("p", {}, "Before each gradient the lesson asks you for it. " + lesson.accepted)] : [];
    return el("div", { class: "guide" }, el("p", {}, "The chain rule, one node at a time:"), rule, ...asks,
      el("dl", {}, ...use.map(([key, does, on]) => el("div", { class: on }, el("dt", {}, key), el("dd", {}, does)))));
  }

  function arrows() { // what the looks of arrows say, where all gradients have come
    const looks = [["", "positive gradient"], ["down", "negative"]];
    return el("p", { class: "arrows" }, ...looks.map(([look, means]) => el("span", {}, el("i", { class: look }), means)),
      "the larger, the wider");
  }

  function called(name) { // x1 (neuron 2): whose result an input is stands smaller, below it where there is little room
    const [, first, from] = /^(.*) (\(neuron.*\))$/.exec(name) || [null, name];
    return from ? [`${first} `, el("small", {}, from)] : [name];
  }

  function table(k, frame) {
    const body = el("tbody");
    const last = new Map(frame.rows.map((row, i) => [row.input, i]));
    frame.rows.forEach((row, i) => {
      const question = open(k).find((q) => q.input === row.input);
      const slope = el("span", { class: "slope" }, `${row.slope} = `);
      if (question) {
        const cell = last.get(row.input) === i ? asking(k, row, question) : "…";
        body.append(el("tr", {}, el("th", { scope: "row" }, ...called(row.name)), el("td", { colspan: 3 }, cell)));
        return;
      }
      const written = form === "formula" ? row.formula : row.numbers || row.formula;
      const local = el("td", {}, slope, written === row.local ? "" : `${written} = `, chip("local", row.local));
      const times = el("td", {}, chip("local", row.local), " × ", chip("arriving", row.arriving), " = ",
        chip("product", row.product));
      const sum = el("td", {}, `${row.before} + `, chip("product", row.product), " → ",
        el("strong", {}, row.after));
      const tr = el("tr", row.constant ? { class: "constant" } : {}, el("th", { scope: "row" }, ...called(row.name)));
      tr.append(local, times, sum);
      body.append(tr);
    });
    const asked = frame.rows.every((row) => open(k).some((q) => q.input === row.input));
    const heads = asked ? [["input", 1], ["its gradient after this step", 3]]
      : [["input", 1], ["local derivative", 1], ["local × arriving", 1], ["running total", 1]];
    const head = el("thead", {}, el("tr", {}, ...heads.map(([h, colspan]) => el("th", { scope: "col", colspan }, h))));
    return el("table", frame.rows.length > 4 ? { class: "many" } : {}, head, body);
  }

  function panel(k, frame) {
    const box = $("work");
    box.replaceChildren();
    if (k === 0) box.append(guide());
    if (frame.equation) box.append(equation(frame.equation, frame.sign));
    if (frame.change) {
      const [name, before, after] = frame.change;
      box.append(el("p", { class: "equation" }, `${name}: `, before, el("span", { class: "sign" }, " → "),
        el("span", { class: "result" }, after)));
    }
    if (frame.rows.length) {
      box.lastChild.append(el("span", { class: "arrives" }, "gradient arriving ", chip("arriving", frame.arriving)));
      box.append(table(k, frame));
      if (open(k).length) box.append(el("p", { class: "accepted" }, lesson.accepted));
    }
    if (frame.summary) {
      box.append(el("ul", { class: "summary" }, ...frame.summary.map(([name, value, meaning]) =>
        el("li", {}, el("span", {}, `${name} = `, el("strong", {}, value)), el("small", {}, meaning)))));
      if (quiz) box.append(el("p", { class: "score" }, score()));
      else if (frame.phase === "gradients" && sloped()) box.append(arrows());
    }
    $("phase").textContent = PHASES[frame.phase];
    $("phase").className = `phase ${frame.phase}`;
    $("say").textContent = open(k).length ? frame.ask : frame.say;
  }

  // --- predicting --------------------------------------------------------------------------------------

  const own = new Map(); // node -> the gradient that was typed for it: what follows from it is right

  function asking(k, row, question) {
    const field = el("input", { type: "text", inputmode: "decimal", size: 9, autocomplete: "off",
      "aria-label": `${row.grad} after this step`, id: `ask-${row.input}` });
    const verdict = el("div", { class: "verdict", role: "status" });
    let tries = 0;
    const done = (first) => {
      solved[k].set(row.input, { first });
      if (first === null) own.delete(row.input); // it was shown
      show(k);
      const next = open(k)[0];
      (next ? $(`ask-${next.input}`) : $("forward")).focus();
      $("say").textContent = (first === null ? "" : "Right. ") + $("say").textContent;
    };
    const mark = () => {
      const { status, answer, keys, early } = answers.judge(field.value, question, own);
      if (status === "right") {
        own.set(row.input, answer);
        return done(tries === 0);
      }
      field.setAttribute("aria-invalid", "true");
      field.select();
      if (status === "not readable") verdict.textContent = "Type one number, such as −1.5 or 3/4.";
      if (status === "right so far") verdict.textContent = "Right so far: give three digits.";
      if (status !== "wrong") return undefined;
      tries += 1;
      verdict.replaceChildren(el("b", {}, "Not yet. "), keys.length ? "It looks like: " : "No known mistake gives this number. Try again.");
      keys.map((key) => lesson.mistakes[key]).forEach(([name, hint], k) =>
        verdict.append(el("p", {}, k ? "or: " : "", el("b", {}, name), el("br"), hint)));
      if (early) verdict.append(el("p", {}, "If it is rounded: give three digits."));
      return undefined;
    };
    const form = el("form", { onsubmit: (e) => { e.preventDefault(); mark(); } },
      el("label", { for: `ask-${row.input}` }, `${row.grad} is now `), field, " ",
      el("button", { class: "check" }, "Check"), " ",
      el("button", { type: "button", class: "give", onclick: () => done(null) }, "Show me"));
    return el("div", { class: "question" }, form, verdict);
  }

  function score() {
    const all = solved.flatMap((m) => [...m.values()]);
    const first = all.filter((s) => s.first).length;
    return `You predicted ${first} of ${all.length} gradients at the first try.`;
  }

  // --- moving ------------------------------------------------------------------------------------------

  const slopes = makeSlopes(svg, $("plots"), nodes, (i) => (views ? views.cardOf(i) : `n${i}`));
  const sloped = () => $("slopes").getAttribute("aria-pressed") === "true" && !quiz;
  const slope = () => (sloped() ? slopes.show(frames, at) : slopes.clear());
  const refresh = () => { paint(frames[at], state(at)); slope(); };

  function show(k) {
    at = Math.max(0, Math.min(k, barrier()));
    const frame = frames[at];
    if (views) views.follow(frame);
    paint(frame, state(at));
    panel(at, frame);
    slope();
    $("slider").value = at;
    $("slider").setAttribute("aria-valuetext", `step ${at + 1} of ${frames.length}: ${PHASES[frame.phase]}, ${frame.title || nodes[frame.node].name}`);
    $("count").textContent = `${at + 1} / ${frames.length}`;
    $("first").disabled = $("back").disabled = at === 0;
    $("last").disabled = $("forward").disabled = at === frames.length - 1;
    $("work").scrollTop = 0;
    if (open(at).length && timer) play();
    reveal(frame);
    if (parent !== window) parent.postMessage({ step: at }, "*"); // a page around it may keep the place
  }

  function go(k) { // forward out of an open question leads into its field
    if (k > at && open(at).length) { $(`ask-${open(at)[0].input}`).focus(); return; }
    show(k);
  }

  function play() {
    const start = timer === null;
    clearInterval(timer);
    timer = null;
    if (start) {
      if (at === frames.length - 1) show(0);
      timer = setInterval(() => (at < frames.length - 1 && !open(at).length ? show(at + 1) : timer && play()), WAIT);
    }
    $("play").setAttribute("aria-label", timer ? "Pause" : "Play");
    $("play").classList.toggle("playing", timer !== null);
  }

  function jump(node) { // in the forward phase to where it was computed, later to its backward step
    const forward = frames[at].phase === "forward";
    const found = frames.findIndex((f) => (forward ? f.phase === "forward" : f.phase === "backward" && f.rows.length)
      && f.node === node);
    const given = forward ? 0 : frames.findLastIndex((f) => f.phase === "backward" && f.lit.includes(node));
    const target = found >= 0 ? found : given;
    if (target >= 0) show(target);
  }

  // --- looking closer ----------------------------------------------------------------------------------

  function size() {
    lens.apply();
    reveal(frames[at], true);
  }

  function reveal(frame, atOnce) { // bring the lit cards into the middle where not all fits
    const stage = $("graph");
    if (stage.scrollWidth <= stage.clientWidth && stage.scrollHeight <= stage.clientHeight) return;
    const boxOf = (ids) => { // all of them, in one rectangle
      const all = ids.map((i) => element(i)).filter(Boolean).map((card) => card.getBoundingClientRect());
      const [left, top] = ["left", "top"].map((side) => Math.min(...all.map((box) => box[side])));
      const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...all.map((box) => box[side])));
      return { left, top, right, bottom };
    };
    const own = frame.node === undefined ? [] : [frame.node];
    const lit = litOf(frame), near = [...own, ...lit];
    if (!near.some((i) => element(i))) return;
    const outer = stage.getBoundingClientRect(), all = boxOf(near);
    const fits = all.right - all.left < outer.width && all.bottom - all.top < outer.height;
    const box = fits ? all : boxOf(near.filter((i) => element(i)).slice(0, 1));
    stage.scrollBy({
      left: (box.left + box.right - outer.left - outer.right) / 2,
      top: (box.top + box.bottom - outer.top - outer.bottom) / 2,
      behavior: atOnce || still ? "auto" : "smooth",
    });
    lens.drawMap();
  }

  function tell(i) {
    const node = nodes[i], { data, grads } = state(at), tip = $("tip");
    const lines = [["kind", node.kind], ["made as", node.made], ["data", data[i] ? node.exact : "not computed yet"],
      ["grad now", data[i] ? grads[i][0] || "none yet" : ""], ["used", node.uses ? `${node.uses} time${node.uses > 1 ? "s" : ""}` : "it is the output"]];
    if (node.label && node.label !== node.name) lines.unshift(["label", node.label]);
    if (data[i] && data[i] !== firstShown[i]) lines[lines.findIndex(([key]) => key === "data")][1] = data[i];
    tip.replaceChildren(el("b", {}, node.name), el("dl", {}, ...lines.filter(([, v]) => v).flatMap(([key, value]) =>
      [el("dt", {}, key), el("dd", {}, value)])));
    tip.hidden = false;
    const card = cards[i].group.getBoundingClientRect();
    const left = Math.min(Math.max(8, card.left), innerWidth - tip.offsetWidth - 8);
    const below = card.bottom + 8 + tip.offsetHeight < innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.max(8, below ? card.bottom + 8 : card.top - tip.offsetHeight - 8)}px`;
  }
  const firstShown = nodes.map(() => "");
  for (const frame of frames) for (const [i, text] of frame.data || []) firstShown[i] = firstShown[i] || text;

  // --- controls ----------------------------------------------------------------------------------------

  const actions = { first: () => show(0), back: () => show(at - 1), play, forward: () => go(at + 1),
    last: () => go(frames.length - 1) };
  for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", action);
  const slide = () => { $("slider").max = frames.length - 1; };
  slide();
  $("stride").hidden = !neurons.length;
  document.querySelectorAll("[name=stride]").forEach((radio) => radio.addEventListener("change", () => {
    const { phase, node } = frames[at];
    frames = radio.value === "neurons" ? neurons : lesson.frames;
    const same = frames.findIndex((f) => f.phase === phase && (node === undefined || f.node === node));
    slide();
    show(same < 0 ? 0 : same);
  }));
  $("slider").addEventListener("input", (e) => show(Number(e.target.value)));
  $("zoom").addEventListener("click", () => { lens.toggle(); size(); });
  let pointed = false; // after a click the arrow keys step again; who came by keyboard stays in the switch
  document.addEventListener("pointerdown", () => { pointed = true; }, true);
  document.addEventListener("keydown", () => { pointed = false; }, true);
  document.querySelectorAll("[name=form]").forEach((radio) => radio.addEventListener("change", () => {
    form = radio.value;
    show(at);
  }));
  document.querySelectorAll(".switch input").forEach((radio) => // also where the choice was made before
    radio.addEventListener("click", () => { if (pointed) radio.blur(); }));
  $("slopes").hidden = quiz; // they would give the answers away
  let slopesChosen = false; // on paper they are seen if somebody asked for them
  $("slopes").addEventListener("click", () => {
    slopesChosen = true;
    $("slopes").setAttribute("aria-pressed", String($("slopes").getAttribute("aria-pressed") !== "true"));
    slope();
  });
  $("theme").addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).getPropertyValue("--scheme").trim() === "dark";
    document.documentElement.setAttribute("theme", dark ? "light" : "dark");
  });
  const looks = { "+": () => lens.zoom(lens.scale() * 1.25), "-": () => lens.zoom(lens.scale() / 1.25), 0: () => lens.zoom(null),
    p: (e) => print(e.shiftKey), f: () => { document.documentElement.classList.toggle("projector"); size(); } };
  const keys = { ArrowRight: "forward", ArrowLeft: "back", Home: "first", End: "last", " ": "play" };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hush();
    const asked = open(at)[0]; // whoever types a number means the answer
    if (asked && /^[-−.\d]$/.test(event.key) && event.target.tagName !== "INPUT" && !event.ctrlKey && !event.metaKey) {
      $(`ask-${asked.input}`).focus();
      return;
    }
    const look = looks[event.key.toLowerCase()], id = keys[event.key], target = event.target, tag = target.tagName;
    const own = tag === "INPUT" && (target.type !== "range" || event.key !== " "); // it has a use for the key
    if (look && tag !== "INPUT" && !event.ctrlKey && !event.metaKey && !event.altKey) look(event);
    if (!id || own || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && tag === "BUTTON") return;
    event.preventDefault();
    if (!$(id).disabled) actions[id]();
  });
  // printing: see slides.js
  const slides = makeSlides(svg, (k) => frames[k].rows.length + Math.floor((frames[k].summary || []).length / 3), () => barrier() + 1, show,
    () => { if (!slopesChosen) slopes.clear(); }, Boolean(views));
  function prepare(several) {
    const kept = at;
    slides.make(several);
    show(kept);
  }
  addEventListener("beforeprint", () => { if (!document.querySelector(".slide")) prepare(false); });
  addEventListener("afterprint", slides.clear);
  function print(several) { prepare(several); window.print(); }

  addEventListener("message", ({ source, data }) => { // and give it back
    if (source === parent && source !== window && Number.isInteger(data?.step) && data.step !== at) show(data.step);
  });
  if (parent === window) document.documentElement.classList.add("alone");
  new ResizeObserver(size).observe($("graph"));
  if (views) views.show(0);
  // page.html#step=9 opens there, unless questions are open before
  const asked = /^#step=(\d+)$/.exec(location.hash);
  show(asked && !quiz ? Math.min(Math.max(Number(asked[1]), 1), frames.length) - 1 : 0);
  size();
})();
