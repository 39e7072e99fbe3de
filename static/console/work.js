// Work in slices, so that the page answers people however much is pushed at once. What came first is done first.
"use strict";

const SLICE_MS = 12;
const waiting = [];
let working = false;

const pause = () => globalThis.scheduler?.yield?.() ?? new Promise((done) => { setTimeout(done); });

/** `jobs`: functions that take a moment each. */
export async function inSlices(jobs) {
  waiting.push(...jobs);
  if (working) return;
  working = true;
  let until = performance.now() + SLICE_MS;
  while (waiting.length) {
    try {
      waiting.shift()();
    } catch (error) {
      reportError(error);
    }
    if (performance.now() > until) {
      await pause();
      until = performance.now() + SLICE_MS;
    }
  }
  working = false;
}
