// The board: what the server pushes (calls/console/feed.py), put where it belongs.
"use strict";

import "./act.js";
import { attention } from "./attention.js";
import { serverNow, setServerTime, tick } from "./clock.js";
import { adopt, find, forget, keyOf, put, rowsOf, setLeg } from "./rows.js";
import { listen } from "./socket.js";

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
  const next = rowsOf(live).find((other) => other !== row && rank(other) > mine) ?? null;
  if (row.parentElement !== live || row.nextElementSibling !== next) live.insertBefore(row, next);
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

function count() {
  attention(live.querySelectorAll(".needs").length + alarms.children.length);
}

function leave(row) {
  row.classList.add("fading");
  setTimeout(() => row.remove(), FADE_MS);
}

function end(html, id) {
  const old = find(keyOf(id));
  if (old && old.parentElement === live) {
    const ghost = old.cloneNode(true); // what was live fades where it was; the row itself is in the list of today
    delete ghost.dataset.key;
    old.replaceWith(ghost);
    leave(ghost);
  }
  if (live.dataset.page === "1") put(ended, html, (row) => { if (row.parentElement !== ended) ended.prepend(row); });
  while (ended.children.length > MOST_ENDED) { forget(ended.lastElementChild.dataset.key); ended.lastElementChild.remove(); }
}

function snapshot(message) {
  const keys = new Set([...message.live, ...message.ended].map((row) => keyOf(row.id)));
  const first = live.dataset.page === "1";
  for (const row of [...rowsOf(live), ...(first ? rowsOf(ended) : [])]) {
    if (!keys.has(row.dataset.key)) { forget(row.dataset.key); row.remove(); }
  }
  for (const row of message.live) put(live, row.html, place);
  if (first) for (const row of [...message.ended].reverse()) put(ended, row.html, (each) => ended.prepend(each));
}

const handlers = {
  snapshot,
  rows(message) {
    for (const row of message.rows) {
      if (row.live) put(live, row.html, place);
      else end(row.html, row.id);
    }
    for (const id of message.gone) { const row = find(keyOf(id)); if (row) { forget(row.dataset.key); leave(row); } }
  },
  leg: setLeg,
  beat() {},
};

if (live) {
  setServerTime(Number(live.dataset.now));
  adopt(live);
  adopt(ended);
  listen(live.dataset.socket, (message) => {
    if (message.now) setServerTime(message.now);
    if (message.numbers !== undefined) numbers.innerHTML = message.numbers;
    if (message.alarms !== undefined) alarms.innerHTML = message.alarms;
    handlers[message.type]?.(message);
    if (message.type !== "leg") count();
  });
  setInterval(everySecond, 1000);
  everySecond();
}
