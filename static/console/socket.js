// A WebSocket that comes back by itself, and a banner (#lost) while it is away or silent. The server beats every second.
"use strict";

const SILENT_MS = 2500;
const AGAIN_MS = 700;
const NOT_ALLOWED = 4403;
const lost = document.getElementById("lost");

/** Calls `onMessage` with each parsed message. `path` is of this very server. */
export function listen(path, onMessage) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  let socket = null;
  let heard = Date.now();

  function open() {
    const mine = socket = new WebSocket(url);
    mine.onmessage = (event) => {
      if (mine !== socket) return;
      heard = Date.now();
      lost.hidden = true;
      onMessage(JSON.parse(event.data));
    };
    mine.onclose = (event) => {
      if (mine !== socket) return;
      if (event.code === NOT_ALLOWED) return location.reload(); // logged out, or other rights: the server decides
      lost.hidden = false;
      setTimeout(open, AGAIN_MS);
    };
  }

  setInterval(() => {
    if (Date.now() - heard < SILENT_MS) return;
    lost.hidden = false;
    if (socket.readyState !== WebSocket.OPEN && Date.now() - heard < 4 * SILENT_MS) return;
    heard = Date.now(); // a connection that hangs is as good as none
    const old = socket;
    socket = null;
    old.close();
    open();
  }, 500);
  window.addEventListener("offline", () => { lost.hidden = false; });
  open();
}
