// Keeps server-rendered parts fresh: asks for its fragment when told that something changed, and once in a while.
//
// <div data-live-url="…" data-socket="…" data-now="server's clock, ms">: children carry data-key, and data-version where
// they have one. Only what changed is touched; an older version never replaces a newer one.
"use strict";

import "./act.js";
import { setServerTime, tick } from "./clock.js";
import { replaceCell } from "./rows.js";
import { listen } from "./socket.js";

const EVERY_MS = 3000;
const PATIENCE_MS = 2500;
const container = document.querySelector("[data-live-url]");
const shown = new Map(); // key -> HTML as the server wrote it: clocks change the element itself
let etag = "";
let running = null;

const keyed = (parent) => [...parent.children].filter((child) => child.dataset.key);
for (const child of keyed(container)) shown.set(child.dataset.key, child.outerHTML);
setServerTime(Number(container.dataset.now));

/** Make the container's children those of `html`; every child that is the same stays the same element. */
export function update(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const present = new Map(keyed(container).map((child) => [child.dataset.key, child]));
  for (const wanted of keyed(template.content)) {
    const key = wanted.dataset.key;
    const text = wanted.outerHTML;
    const child = present.get(key);
    present.delete(key);
    if (!child) container.append(wanted);
    else if (Number(wanted.dataset.version ?? 0) < Number(child.dataset.version ?? 0)) continue;
    else if (shown.get(key) !== text) replace(child, wanted);
    shown.set(key, text);
  }
  for (const [key, child] of present) { child.remove(); shown.delete(key); }
  tick(container);
}

/** Keeping open details besides what replaceCell() keeps. */
function replace(old, fresh) {
  const open = [...old.querySelectorAll("details:not(.menu)")].map((details) => details.open);
  fresh.querySelectorAll("details:not(.menu)").forEach((details, index) => { details.open = open[index] ?? false; });
  replaceCell(old, fresh);
}

async function refresh() {
  running?.abort();
  const mine = running = new AbortController();
  const timer = setTimeout(() => mine.abort("slow"), PATIENCE_MS);
  try {
    const answer = await fetch(container.dataset.liveUrl, {
      headers: etag ? { "If-None-Match": etag } : {}, signal: mine.signal, cache: "no-store",
    });
    if (answer.redirected || answer.status === 403) return location.reload(); // logged out meanwhile
    if (answer.ok) {
      const html = await answer.text();
      etag = answer.headers.get("ETag") ?? "";
      setServerTime(Number(answer.headers.get("X-Server-Time")));
      update(html);
    }
  } catch {
    // the socket says when the connection is lost
  } finally {
    clearTimeout(timer);
  }
}

const seen = () => document.visibilityState === "visible";
document.addEventListener("visibilitychange", () => seen() && refresh());
listen(container.dataset.socket, (message) => { if (message.type === "changed" && seen()) refresh(); });
setInterval(() => seen() && refresh(), EVERY_MS);
setInterval(() => seen() && tick(container), 1000);
tick(container);
