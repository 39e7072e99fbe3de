// The board: what the server pushes (calls/console/feed.py), put where it belongs.
"use strict";

import { attention } from "./attention.js";
import { serverNow, setServerTime, tick } from "./clock.js";
import { adopt, find, forget, keyOf, put, rowsOf, setLeg } from "./rows.js";
import { listen } from "./socket.js";
import { inSlices } from "./work.js";

const FADE_MS = 1500;
const MOST_ENDED = 50;
const [live, ended] = [document.getElementById("live"), document.getElementById("ended")];
const [numbers, alarms] = [document.getElementById("numbers"), document.getElementById("alarms")];

/** What needs a person first, then who waits longest. */
const rank = (row) => (row.classList.contains("needs") ? 0 : 1e15) + Number(row.dataset.order);

function place(row) {
  judge(row);
  tick(row);
  const mine = rank(row);
  const [before, after] = [row.previousElementSibling, row.nextElementSibling];
  if (row.parentElement === live && !(before && rank(before) > mine) && !(after && rank(after) < mine)) return;
  const next = [...live.children].find((other) => other !== row && rank(other) > mine) ?? null;
  live.insertBefore(row, next);
}

/** Whether it needs somebody by now; true when that has changed. */
function judge(row) {
  const now = serverNow();
  const needs = [row.dataset.long, row.dataset.urgent].some((at) => Number(at) > 0 && Number(at) <= now);
  const before = row.classList.contains("needs");
  row.classList.toggle("needs", needs);
  return needs !== before;
}

function everySecond() {
  tick(live);
  for (const row of rowsOf(live)) if (judge(row)) place(row);
  count();
}

const needing = live?.getElementsByClassName("needs");
function count() { attention(needing.length + alarms.children.length); }

function leave(row) {
  delete row.dataset.key;
  row.classList.add("fading");
  setTimeout(() => row.remove(), FADE_MS);
}

function end(html, id) {
  const old = find(keyOf(id));
  if (old && old.parentElement === live) {
    const ghost = old.cloneNode(true); // what was live fades where it was; the row itself is in the list of today
    old.replaceWith(ghost);
    leave(ghost);
  }
  if (live.dataset.page === "1") put(ended, html, (row) => { if (row.parentElement !== ended) ended.prepend(row); });
  else forget(keyOf(id));
  while (ended.children.length > MOST_ENDED) { forget(ended.lastElementChild.dataset.key); ended.lastElementChild.remove(); }
}

function snapshot(message) {
  const keys = new Set([...message.live, ...message.ended].map((row) => keyOf(row.id)));
  const first = live.dataset.page === "1";
  let next = null;
  function above(row) { // the one that was put before
    if (row.parentElement !== ended || row.nextElementSibling !== next) ended.insertBefore(row, next);
    next = row;
  }
  function clear() {
    for (const row of [...rowsOf(live), ...(first ? rowsOf(ended) : [])]) {
      if (!keys.has(row.dataset.key)) { forget(row.dataset.key); row.remove(); }
    }
  }
  return [
    clear,
    ...message.live.map((row) => () => put(live, row.html, place)),
    ...(first ? message.ended.reverse().map((row) => () => put(ended, row.html, above)) : []),
  ];
}

function goes(id) {
  const row = find(keyOf(id));
  if (row) { forget(row.dataset.key); leave(row); }
}

/** What a message asks for, as jobs for inSlices(). */
const handlers = {
  snapshot,
  rows: (message) => [
    ...message.rows.map((row) => () => (row.live ? put(live, row.html, place) : end(row.html, row.id))),
    ...message.gone.map((id) => () => goes(id)),
  ],
  leg: (message) => [() => setLeg(message)],
};

if (live) {
  setServerTime(Number(live.dataset.now));
  adopt(live);
  adopt(ended);
  listen(live.dataset.socket, (message) => {
    if (message.now) setServerTime(message.now);
    if (message.numbers !== undefined) numbers.innerHTML = message.numbers;
    if (message.alarms !== undefined) alarms.innerHTML = message.alarms;
    inSlices([...(handlers[message.type]?.(message) ?? []), ...(message.type === "leg" ? [] : [count])]);
  });
  setInterval(everySecond, 1000);
  everySecond();
}
