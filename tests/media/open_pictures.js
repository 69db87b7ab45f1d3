"use strict";
/* Opens live pictures with the product's own player at a click, and times what is shown. Wants `readNumber` (tests.counted_clip). */

/* Every peer connection of the page, the newest last. */
const peers = (window.peers = []);
window.RTCPeerConnection = class extends window.RTCPeerConnection {
  constructor(...options) {
    super(...options);
    peers.push(this);
  }
};

const button = Object.assign(document.createElement("button"), { id: "opens" });
button.style.cssText = "position:fixed;left:0;top:0;width:40px;height:40px;z-index:9999";
document.body.append(button);

/*
 * At the next click on #opens, `camera` is opened large. Gives [ms to the first frame, its age in ms, ms to the first
 * one younger than `young` ms, packets lost, frames shown until then]. `clock`: the camera shows number n at
 * performance.now() = zero + n * step, again after `loop` ms.
 */
function openAtClick(camera, stream, clock, young) {
  return new Promise((resolve, reject) => {
    button.onclick = (event) => {
      const player = document.createElement("haechi-player");
      Object.entries({ camera, stream, reason: "touch" }).forEach(([name, value]) => player.setAttribute(name, value));
      player.style.cssText = "position:fixed;left:0;top:50px;width:1200px;height:675px;z-index:9998;background:#000";
      const timer = setTimeout(() => end(() => reject(new Error(`no young picture: ${JSON.stringify(player.status)}`))), 20000);
      const end = (say) => {
        clearTimeout(timer);
        player.remove();
        say();
      };
      let first = null;
      let count = 0;
      const onFrame = () => {
        const at = performance.now();
        const number = readNumber(player.video);
        count += 1;
        const age = number === null ? NaN : (((at - clock.zero - number * clock.step) % clock.loop) + clock.loop) % clock.loop;
        first ??= [at - event.timeStamp, age];
        if (age < young) {
          const live = at - event.timeStamp;
          void lostOf(peers.at(-1)).then((lost) => end(() => resolve([...first, live, lost, count])));
        } else player.video.requestVideoFrameCallback(onFrame);
      };
      document.body.append(player);
      player.video.requestVideoFrameCallback(onFrame);
    };
  });
}

/* What a peer connection has lost for good, a moment later: a repeated packet is none. */
async function lostOf(peer) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  const report = await peer.getStats();
  return [...report.values()].find((entry) => entry.type === "inbound-rtp")?.packetsLost ?? NaN;
}
