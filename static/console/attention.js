// When something needs a person: the tab's title, its icon, and a sound that can be turned off (remembered).
"use strict";

const KEY = "transferhub.sound";
const title = document.title;
const icon = document.querySelector("link[rel=icon]");
const calm = icon.href;
const alarmed = "data:image/svg+xml," + encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="15" fill="#c62828"/>' +
  '<path d="M14 6h4v13h-4zM14 22h4v4h-4z" fill="#fff"/></svg>');
const button = document.getElementById("sound");
let before = 0;
let audio = null;

const wanted = () => localStorage.getItem(KEY) !== "off";
function label() {
  button.hidden = false;
  button.setAttribute("aria-pressed", String(wanted()));
  button.textContent = wanted() ? button.dataset.on : button.dataset.off;
}

/** `count`: how many things need a person now. A sound when there are more than before. */
export function attention(count) {
  if (count === before) return;
  document.title = count ? `(${count}) ${title}` : title;
  icon.href = count ? alarmed : calm;
  if (count > before && wanted()) beep();
  before = count;
}

function beep() {
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume().catch(() => {}); // allowed after the first click anywhere
  for (const [at, hertz] of [[0, 660], [0.16, 880]]) {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    const from = audio.currentTime + at;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.0001, from);
    volume.gain.exponentialRampToValueAtTime(0.15, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.15);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.16);
  }
}

if (button) {
  label();
  button.addEventListener("click", () => { localStorage.setItem(KEY, wanted() ? "off" : "on"); label(); });
}
