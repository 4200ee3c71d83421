// Numbers worked out by hand, on a page: the rule of answers.py, held to it by a test with one table.
// Read `status`; `judge` is the same for a question of the stepper, with the mistakes that it may be.
"use strict";
const answers = (() => {
  const NUMBER = /^([+-]?)(?:(\d+\.?\d*|\.\d+)(?:e([+-]?\d+))?|inf|infinity|nan)$/i;
  const SIGNS = { "−": "-", "–": "-", ",": ".", "∞": "inf", "⁄": "/", "÷": "/" };
  const DUST = 1e-12;

  function number(text) {
    const found = NUMBER.exec(text);
    if (!found) return undefined;
    if (found[2] !== undefined) return Number(text);
    return /nan$/i.test(text) ? NaN : found[1] === "-" ? -Infinity : Infinity;
  }

  // null where nothing was written, undefined where it is no number
  function read(text) {
    if (/^[\s_?]*$/.test(text)) return null;
    if (/\d\s+\d/.test(text)) return undefined;
    const plain = text.replace(/\s+/g, "").replace(/[−–,∞⁄÷]/g, (sign) => SIGNS[sign]).replace(/^[=~≈]+/, "");
    const slash = plain.indexOf("/");
    if (slash < 0) return number(plain);
    const top = number(plain.slice(0, slash)), bottom = number(plain.slice(slash + 1));
    return top === undefined || bottom === undefined ? undefined : top / bottom;
  }

  const isMultiple = (x, unit) => Math.abs(x / unit - Math.round(x / unit)) < 1e-6;

  function matches(answer, right) {
    if (!Number.isFinite(answer) || !Number.isFinite(right)) return Object.is(answer, right);
    const error = Math.abs(answer - right);
    if (error <= (0.005 + 1e-9) * Math.abs(right) + DUST) return true;
    return error <= 0.0005 + 1e-9 && Math.abs(right) >= 0.05 - 1e-9 && isMultiple(answer, 0.001);
  }

  // whether it is the right number rounded to one digit or to two; 1.5 has no more, and 2 is not 1.5
  function rounded(answer, right) {
    const size = Math.abs(right);
    if (!Number.isFinite(answer) || !(size > 1e-300 && size < Infinity) || answer === 0) return false;
    const first = 10 ** Math.floor(Math.log10(size));
    const digits = size / first * 10;
    if (Math.abs(digits - Math.round(digits)) <= 1e-9 * digits) return false;
    const error = Math.abs(answer - right) * (1 - 1e-6);
    return [first, first / 10].some((unit) => error <= unit / 2 && isMultiple(answer, unit));
  }

  function status(text, right) {
    const answer = read(text);
    if (answer === null) return "not attempted";
    if (answer === undefined) return "not readable";
    return matches(answer, right) ? "right" : rounded(answer, right) ? "right so far" : "wrong";
  }

  // --- a question of the stepper: see lesson.py, and marking.py for the same in Python -------------------

  // the sum of the parts, some of them edited (-1: all others); `own` are the learner's gradients by node
  function total({ parts }, own, edits = []) {
    const edited = new Map(edits.map(([k, ...part]) => [k, part]));
    return parts.reduce((sum, [node, constant, factor, right], k) => {
      const [a, b] = (edited.get(k) || edited.get(-1) || [constant, factor]).map(Number);
      return sum + a + (b !== 0 ? b * (own.has(node) ? own.get(node) : Number(right)) : 0);
    }, 0);
  }

  // right, right so far, wrong or not readable; a wrong one with the mistakes that it may be
  function judge(text, question, own) {
    const answer = read(text), right = Number(question.answer), follows = total(question, own);
    if (answer === null || answer === undefined) return { status: "not readable" };
    const printed = question.printed.map((edits) => total(question, own, edits));
    if ([right, follows, ...printed].some((x) => matches(answer, x))) return { status: "right", answer };
    const found = question.suspects.map(([key, edits]) => [key, total(question, own, edits)])
      .filter(([, x]) => matches(answer, x));
    const exact = found.filter(([, x]) => Math.abs(answer - x) <= 1e-6 * Math.abs(x));
    const early = rounded(answer, right) || rounded(answer, follows);
    if (early && !exact.length) return { status: "right so far" };
    return { status: "wrong", early, keys: [...new Set((early ? exact : found).map(([key]) => key))] };
  }

  return { read, matches, rounded, status, judge };
})();
