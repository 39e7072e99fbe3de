// Hears what announcer and agent say to each other. The microphone is never opened; nothing is sent but the request.
//
// Binary messages of calls/voice/listen.py: one byte of side (0 agent, 1 announcer), then 20 ms of L16 at 24 kHz.
"use strict";

const RATE = 24000;
const AGAIN_MS = 1500;
const box = document.getElementById("hear");
const button = box.querySelector("button");
const status = box.querySelector("[role=status]");
const meters = [...box.querySelectorAll("meter")];
let context = null;
let node = null;
let socket = null;
let wanted = false;
let again = 0;

/** False when he has stopped meanwhile. */
async function prepare() {
  const mine = context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  await mine.audioWorklet.addModule(box.dataset.worklet);
  if (context !== mine) return false;
  node = new AudioWorkletNode(mine, "two-sides", { numberOfInputs: 0, outputChannelCount: [1] });
  node.port.onmessage = ({ data }) => {
    for (const meter of meters) meter.value = data[meter.dataset.side];
  };
  node.connect(mine.destination);
  return true;
}

async function open() {
  clearTimeout(again);
  const ear = node; // another one after he has stopped and begun again
  const body = new FormData(document.getElementById("act"));
  try {
    const answer = await fetch(box.dataset.address, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.status === 403 || answer.redirected) return stop();
    const { url, words } = await answer.json();
    if (node !== ear) return;
    status.textContent = words;
    if (!url) return later();
    const mine = socket = new WebSocket(new URL(url, location.href.replace(/^http/, "ws")));
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      const samples = new Int16Array(data.slice(1));
      ear.port.postMessage({ side: new Uint8Array(data, 0, 1)[0], samples }, [samples.buffer]);
    };
    socket.onclose = () => { if (socket === mine) later(); };
  } catch {
    status.textContent = box.dataset.failed;
    later();
  }
}

/** The next agent has an announcer of his own. */
function later() {
  clearTimeout(again);
  if (wanted) again = setTimeout(open, AGAIN_MS);
}

function stop() {
  wanted = false;
  clearTimeout(again);
  socket?.close();
  if (node) node.port.onmessage = null; // a level may be on its way still
  context?.close();
  socket = context = node = null;
  show();
}

function show() {
  button.setAttribute("aria-pressed", String(wanted));
  button.textContent = wanted ? button.dataset.stop : button.dataset.start;
  if (!wanted) { status.textContent = ""; for (const meter of meters) meter.value = 0; }
}

button.addEventListener("click", async () => {
  if (wanted) return stop();
  wanted = true;
  show();
  if (await prepare()) open();
});
