// Clocks that go on by themselves, by the server's time: [data-since] counts up, [data-until] down (both Unix ms).
"use strict";

let ahead = 0; // ms by which this machine is ahead of the server

export const setServerTime = (ms) => { ahead = Date.now() - ms; };
export const serverNow = () => Date.now() - ahead;

/** 0:07, 12:30, 1:02:03. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const write = (element, text) => { if (element.textContent !== text) element.firstChild.data = text; };

export function tick(root) {
  const now = serverNow();
  for (const element of root.querySelectorAll("[data-since]")) {
    write(element, clock((now - Number(element.dataset.since)) / 1000));
  }
  for (const element of root.querySelectorAll("[data-until]")) {
    write(element, clock(Math.ceil((Number(element.dataset.until) - now) / 1000)));
  }
}
