// What the page keeps in this browser: the work of now, and what it was before.
//
// Code that runs here reaches none of it: it has no origin. What is kept is never run by itself.

const WORK = "micrograd-playground";
const PAST = "micrograd-playground-past";
const MOST = 20;

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null; // private windows, full or damaged stores
  }
}

function write(name, what) {
  try {
    localStorage.setItem(name, JSON.stringify(what));
  } catch {
    /* the page works without */
  }
}

export const saved = () => read(WORK);
export const save = (state) => write(WORK, { state, time: Date.now() });
export const past = () => (Array.isArray(read(PAST)) ? read(PAST) : []);

/** Puts a state into the past, newest first, each once. */
export function remember(state) {
  const same = JSON.stringify(state);
  const others = past().filter((entry) => JSON.stringify(entry.state) !== same);
  write(PAST, [{ state, time: Date.now() }, ...others].slice(0, MOST));
}
