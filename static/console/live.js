// Keeps a server-rendered list fresh: asks for its fragment while the page is seen, touches only what changed.
//
// <tbody data-live-url="…" data-now="server's clock, ms">: children carry data-key, and data-version where they have one.
// An older version never replaces a newer one. [data-since] elements count on by the server's clock.
"use strict";

const EVERY_MS = 3000;
const PATIENCE_MS = 2500;
const container = document.querySelector("[data-live-url]");
const lost = document.getElementById("lost");
const shown = new Map(); // key -> HTML as the server wrote it: clocks change the element itself
let clockAhead = Date.now() - Number(container.dataset.now); // ms by which this machine is ahead of the server
let etag = "";
let running = null;

const keyed = (parent) => [...parent.children].filter((child) => child.dataset.key);
for (const child of keyed(container)) shown.set(child.dataset.key, child.outerHTML);

/** Make the container's children those of `html`; every child that is the same stays the same element. */
export function update(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const present = new Map(keyed(container).map((child) => [child.dataset.key, child]));
  let place = container.firstElementChild;
  for (const wanted of keyed(template.content)) {
    const key = wanted.dataset.key;
    const text = wanted.outerHTML;
    let child = present.get(key);
    present.delete(key);
    const older = child && Number(wanted.dataset.version ?? 0) < Number(child.dataset.version ?? 0);
    if (!child || (shown.get(key) !== text && !older)) {
      const next = place === child ? place?.nextElementSibling : place;
      child = child ? replace(child, wanted) : wanted;
      shown.set(key, text);
      place = next;
      if (!child.isConnected) container.insertBefore(child, place);
      else if (child.nextElementSibling !== place) container.insertBefore(child, place);
    } else if (child === place) {
      place = place.nextElementSibling;
    } else {
      container.insertBefore(child, place);
    }
  }
  for (const [key, child] of present) { child.remove(); shown.delete(key); }
  tick();
}

/** Put `fresh` where `old` is, keeping the keyboard's focus, open details and how far a box was scrolled. */
function replace(old, fresh) {
  const links = (element) => [...element.querySelectorAll("a, button, summary, [tabindex]")];
  const focused = links(old).indexOf(document.activeElement);
  const open = [...old.querySelectorAll("details")].map((details) => details.open);
  fresh.querySelectorAll("details").forEach((details, index) => { details.open = open[index] ?? false; });
  old.replaceWith(fresh);
  links(fresh)[focused]?.focus({ preventScroll: true });
  return fresh;
}

function tick() {
  for (const element of container.querySelectorAll("[data-since]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - clockAhead - Number(element.dataset.since)) / 1000));
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const rest = String(seconds % 60).padStart(2, "0");
    element.textContent = hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
  }
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
    if (answer.status === 200) {
      const html = await answer.text();
      etag = answer.headers.get("ETag") ?? "";
      clockAhead = Date.now() - Number(answer.headers.get("X-Server-Time"));
      update(html);
    }
    lost.hidden = answer.status === 200 || answer.status === 304;
  } catch {
    if (mine === running) lost.hidden = false;
  } finally {
    clearTimeout(timer);
  }
}

const seen = () => document.visibilityState === "visible";
document.addEventListener("visibilitychange", () => seen() && refresh());
setInterval(() => seen() && refresh(), EVERY_MS);
setInterval(() => seen() && tick(), 1000);
tick();
