// Plays two sides side by side, a moment after they came, and measures how loud each is.
"use strict";

const START = 0.06; // seconds that wait before a side begins to play: the network is not even
const MOST = 0.2; // more than that is thrown away: better a gap than to be late
const REPORT_EVERY = 0.05;

class TwoSides extends AudioWorkletProcessor {
  constructor() {
    super();
    this.sides = [0, 1].map(() => ({ waiting: [], length: 0, at: 0, plays: false, level: 0 }));
    this.sinceReport = 0;
    this.port.onmessage = ({ data }) => {
      const side = this.sides[data.side];
      if (!side) return;
      side.waiting.push(data.samples);
      side.length += data.samples.length;
      while (side.length > MOST * sampleRate) this.drop(side);
      if (side.length >= START * sampleRate) side.plays = true;
    };
  }

  drop(side) {
    side.length -= side.waiting.shift().length - side.at;
    side.at = 0;
  }

  next(side) {
    if (!side.plays) return 0;
    const first = side.waiting[0];
    if (!first) { side.plays = false; return 0; }
    const sample = first[side.at++] / 32768;
    side.length--;
    if (side.at === first.length) { side.waiting.shift(); side.at = 0; }
    return sample;
  }

  process(inputs, [[out]]) {
    for (let i = 0; i < out.length; i++) {
      let sum = 0;
      for (const side of this.sides) {
        const sample = this.next(side);
        side.level = Math.max(Math.abs(sample), side.level * 0.9995);
        sum += sample;
      }
      out[i] = Math.max(-1, Math.min(1, sum));
    }
    this.sinceReport += out.length / sampleRate;
    if (this.sinceReport >= REPORT_EVERY) {
      this.sinceReport = 0;
      this.port.postMessage(this.sides.map((side) => side.level));
    }
    return true;
  }
}

registerProcessor("two-sides", TwoSides);
