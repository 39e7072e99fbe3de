// The buttons of a transfer: the first press arms one, the second does it. Without this script the server asks instead.
"use strict";

const ARMED_MS = 4000;
const TOAST_MS = 6000;
const form = document.getElementById("act");
const toast = document.getElementById("toast");
const words = document.querySelector("[data-confirm]")?.dataset ?? {};
let armed = null;
let timer = 0;
let toastTimer = 0;

/** The menu's buttons: those of its stage, from the page's templates; of a transfer that stands in the same row. */
export function fill(menu) {
  const [stage] = menu.dataset.stage.split("-");
  const buttons = document.querySelector(`template[data-actions="${stage}"]`).content.cloneNode(true);
  const row = menu.closest("[data-key]");
  const seen = new URLSearchParams({ v: row.dataset.version, stage: menu.dataset.stage });
  for (const button of buttons.querySelectorAll("button")) {
    button.formAction = new URL(`${button.dataset.action}/?${seen}`, row.querySelector("a").href);
  }
  menu.querySelector(".actions").replaceChildren(buttons);
}

function disarm() {
  clearTimeout(timer);
  if (!armed) return;
  armed.classList.remove("armed");
  armed.textContent = armed.dataset.words;
  armed = null;
}

function arm(button) {
  disarm();
  armed = button;
  button.dataset.words ??= button.textContent;
  button.classList.add("armed");
  button.textContent = `${words.confirm} ${button.dataset.words}`;
  timer = setTimeout(disarm, ARMED_MS);
}

function say(text, failed) {
  clearTimeout(toastTimer);
  toast.textContent = text;
  toast.classList.toggle("failed", failed);
  toast.hidden = false;
  toastTimer = setTimeout(() => { toast.hidden = true; }, TOAST_MS);
}

async function act(button) {
  const body = new FormData(form);
  body.set("confirmed", "1");
  body.set("reason", button.parentElement.querySelector("input.why")?.value ?? "");
  const menu = button.closest("details");
  const address = button.formAction;
  disarm();
  if (menu) { menu.open = false; menu.querySelector("summary").focus({ preventScroll: true }); }
  try {
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.status === 403 || answer.redirected) return location.reload();
    const { done, words: text } = await answer.json();
    say(text, !done);
  } catch {
    say(words.failed, true);
  }
}

document.addEventListener("click", (event) => {
  const closed = event.target.closest("details.menu:not([open]) > summary")?.parentElement;
  if (closed) fill(closed);
  const button = event.target.closest("button[form=act]");
  if (button) {
    event.preventDefault();
    if (button === armed) act(button);
    else arm(button);
  } else if (!event.target.closest("input.why")) {
    disarm();
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = document.activeElement?.closest?.("details.menu[open]");
  if (event.key === "Enter" && document.activeElement.matches?.("input.why")) {
    event.preventDefault();
    document.activeElement.parentElement.querySelector("button").click();
  }
  if (event.key !== "Escape") return;
  disarm();
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});
