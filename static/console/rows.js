// The rows of the board: put in place, changed cell by cell, never by an older version.
"use strict";

const shown = new Map(); // key -> the HTML of its cells as the server wrote it: clocks change the elements themselves
const legs = new Map(); // key -> { "caller.talking": true … }, what only the bus knows

const cells = (row) => [...row.children];
const remember = (row) => shown.set(row.dataset.key, cells(row).map((cell) => cell.outerHTML));
export const keyOf = (id) => `t-${id}`;
export const find = (key) => document.querySelector(`tr[data-key="${key}"]`);
export const rowsOf = (body) => [...body.children].filter((row) => row.dataset.key && !row.classList.contains("fading"));

export function adopt(body) { rowsOf(body).forEach(remember); }

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

/** Put what `html` says into `body` at the place `placed` finds; the row that is there stays the same element. */
export function put(body, html, placed) {
  const fresh = parse(html);
  const key = fresh.dataset.key;
  const old = find(key);
  if (old && Number(fresh.dataset.version) < Number(old.dataset.version)) return old;
  let row = fresh;
  if (old && old.parentElement === body) {
    change(old, fresh);
    row = old;
  } else {
    old?.remove();
    remember(fresh);
  }
  placed(row);
  showLegs(key);
  return row;
}

function change(row, fresh) {
  for (const name of row.getAttributeNames()) if (!fresh.hasAttribute(name)) row.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (row.getAttribute(name) !== value) row.setAttribute(name, value);
  const texts = shown.get(row.dataset.key) ?? [];
  const wanted = cells(fresh);
  remember(fresh);
  cells(row).forEach((cell, index) => {
    if (texts[index] !== wanted[index].outerHTML) replaceCell(cell, wanted[index]);
  });
}

/** Keeps the keyboard's focus; of the same stage also the open menu, an armed button and a reason half written. */
export function replaceCell(old, fresh) {
  const reachable = (element) => [...element.querySelectorAll("a, button:not(:disabled), summary, input")];
  const focused = reachable(old).indexOf(document.activeElement);
  const [menu, freshMenu] = [old.querySelector("details.menu"), fresh.querySelector("details.menu")];
  if (menu && freshMenu) {
    freshMenu.open = menu.open;
    if (menu.dataset.stage === freshMenu.dataset.stage) {
      const reasons = freshMenu.querySelectorAll("input.why");
      menu.querySelectorAll("input.why").forEach((input, n) => { if (reasons[n]) reasons[n].value = input.value; });
      const armed = menu.querySelector("button.armed");
      if (armed) document.dispatchEvent(new CustomEvent("rearm", { detail: [armed, freshMenu] }));
    }
  }
  old.replaceWith(fresh);
  if (focused >= 0) (reachable(fresh)[focused] ?? fresh.querySelector("summary"))?.focus({ preventScroll: true });
}

export function forget(key) { shown.delete(key); legs.delete(key); }

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
