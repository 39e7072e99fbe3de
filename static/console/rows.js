// The rows of the board: put in place, changed cell by cell, never by an older version.
"use strict";

import { fill } from "./act.js";

const known = new Map(); // key -> { row, texts: its cells as the server wrote them; clocks change the elements themselves }
const legs = new Map(); // key -> { "caller.talking": true … }, what only the bus knows

const cells = (row) => [...row.children];
const texts = (row) => cells(row).map((cell) => cell.outerHTML);
export const keyOf = (id) => `t-${id}`;
export const find = (key) => known.get(key)?.row;
export const rowsOf = (body) => [...body.children].filter((row) => row.dataset.key);

export function adopt(body) {
  for (const row of rowsOf(body)) known.set(row.dataset.key, { row, texts: texts(row) });
}

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

/** Put what `html` says into `body` at the place `placed` finds; the row that is there stays the same element. */
export function put(body, html, placed) {
  const fresh = parse(html);
  const { key, version } = fresh.dataset;
  let row = find(key);
  if (row && Number(version) < Number(row.dataset.version)) return row;
  if (row?.parentElement === body) {
    change(row, fresh);
  } else {
    row?.remove();
    row = fresh;
    known.set(key, { row, texts: texts(row) });
  }
  placed(row);
  showLegs(key);
  return row;
}

function change(row, fresh) {
  for (const name of row.getAttributeNames()) if (!fresh.hasAttribute(name)) row.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (row.getAttribute(name) !== value) row.setAttribute(name, value);
  const before = known.get(row.dataset.key).texts;
  const now = texts(fresh);
  const wanted = cells(fresh);
  known.set(row.dataset.key, { row, texts: now });
  cells(row).forEach((cell, index) => { if (before[index] !== now[index]) replaceCell(cell, wanted[index]); });
}

/** Keeps the keyboard's focus and an open menu; of the same stage also an armed button and a reason half written. */
export function replaceCell(old, fresh) {
  const reachable = (element) => [...element.querySelectorAll("a, button:not(:disabled), summary, input")];
  const focused = old.contains(document.activeElement) ? reachable(old).indexOf(document.activeElement) : -1;
  const [menu, freshMenu] = [old.querySelector("details.menu"), fresh.querySelector("details.menu")];
  const open = menu?.open && freshMenu;
  const same = open && menu.dataset.stage === freshMenu.dataset.stage;
  if (same) freshMenu.replaceWith(menu);
  old.replaceWith(fresh);
  if (open && !same) { fill(freshMenu); freshMenu.open = true; }
  if (focused >= 0) (reachable(fresh)[focused] ?? fresh.querySelector("summary"))?.focus({ preventScroll: true });
}

export function forget(key) { known.delete(key); legs.delete(key); }

/** A `leg` message: who speaks, is muted, is on hold. */
export function setLeg(message) {
  const key = keyOf(message.id);
  legs.set(key, { ...legs.get(key), [`${message.leg}.${message.what}`]: message.on });
  showLegs(key);
}

function showLegs(key) {
  const row = find(key);
  for (const [name, on] of Object.entries(legs.get(key) ?? {})) {
    const [leg, what] = name.split(".");
    const element = row?.querySelector(`[data-leg="${leg}"]`);
    if (what === "talking") element?.classList.toggle("talking", on);
    else { const flag = element?.querySelector(`.${what}`); if (flag) flag.hidden = !on; }
  }
}
