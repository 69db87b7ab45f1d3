/** Opens one live picture step by step and says at which step it fails. It is an ordinary view, with its row in the ledger. */

import { freshIceServers } from "../api/ice-servers";
import { asProblem } from "../api/problem";
import { blameAnswer, blameNetwork, candidates, h264Profiles, STEPS, type Blame, type Code, type StepName } from "./verdict";

export interface Step {
  name: StepName;
  state: "open" | "running" | "good" | "failed";
  code: Code | null;
  /** What was found, for those who mend it; the same in every language. */
  facts: string[];
}

const ICE_MS = 10_000;
const DTLS_MS = 10_000;
const PICTURE_MS = 15_000;

class Wrong extends Error {
  constructor(readonly blame: Blame) {
    super(blame.code);
  }
}

/** One examination; `tell` hears of each change, `end` closes the picture. */
export class Examination {
  readonly steps: Step[] = STEPS.map((name) => ({ name, state: "open", code: null, facts: [] }));
  #peer: RTCPeerConnection | null = null;
  #location: string | null = null;
  #isEnded = false;
  #ownKinds = new Set<string>();

  constructor(
    readonly camera: string,
    readonly stream: "main" | "sub",
    private readonly video: HTMLVideoElement,
    private readonly tell: (steps: Step[]) => void,
  ) {}

  async run(): Promise<void> {
    try {
      await this.#examine();
    } catch (error) {
      if (this.#isEnded) return;
      const blame = error instanceof Wrong ? error.blame : ({ step: this.#running(), code: "refused" } as const);
      if (!(error instanceof Wrong)) this.#fact(blame.step, String(error));
      this.#fail(blame);
    }
  }

  /** Ends it, wherever it is. */
  end(): void {
    this.#isEnded = true;
    if (this.#location) void fetch(this.#location, { method: "DELETE", keepalive: true }).catch(() => undefined);
    this.#location = null;
    this.#peer?.close();
    this.video.srcObject = null;
  }

  async #examine(): Promise<void> {
    this.#start("browser");
    if (typeof RTCPeerConnection === "undefined") throw new Wrong({ step: "browser", code: "no_webrtc" });
    const servers = await freshIceServers();
    const peer = new RTCPeerConnection({ iceServers: servers, bundlePolicy: "max-bundle" });
    this.#peer = peer;
    const receiver = this.#receive(peer);
    await peer.setLocalDescription();
    const offer = peer.localDescription?.sdp ?? "";
    const profiles = h264Profiles(offer);
    if (profiles.length === 0) throw new Wrong({ step: "browser", code: "no_h264" });
    this.#good("browser", `H.264 ${profiles.join(", ")}`);
    const answer = await this.#signal(offer);
    await this.#connect(peer, answer, servers);
    await this.#encrypt(peer, receiver);
    await this.#see(peer);
  }

  #receive(peer: RTCPeerConnection): RTCRtpReceiver {
    const { receiver } = peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = (event) => (this.video.srcObject = new MediaStream([event.track]));
    peer.onicecandidate = ({ candidate }) => {
      if (candidate?.type) this.#ownKinds.add(candidate.type);
    };
    return receiver;
  }

  /** The offer goes to the center: three steps in one answer. */
  async #signal(offer: string): Promise<string> {
    this.#start("center");
    const asked = performance.now();
    const url = `/api/v1/cameras/${encodeURIComponent(this.camera)}/whep?stream=${this.stream}&reason=doctor`;
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: offer }).catch(() => {
      throw new Wrong({ step: "center", code: "no_answer" });
    });
    const text = await answer.text();
    this.#location = answer.ok ? answer.headers.get("Location") : null;
    if (this.#isEnded) this.end();
    this.#fact("center", `HTTP ${answer.status}, ${Math.round(performance.now() - asked)} ms`);
    if (!answer.ok) {
      const problem = asProblem(answer.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : text);
      const blame = blameAnswer(answer.status, problem.kind);
      this.#fact(blame.step, `${problem.kind}: ${problem.detail}`);
      throw new Wrong(blame);
    }
    this.#good("center");
    this.#good("rights");
    this.#good("camera");
    return text;
  }

  async #connect(peer: RTCPeerConnection, answer: string, servers: RTCIceServer[]): Promise<void> {
    this.#start("network");
    for (const one of candidates(answer)) this.#fact("network", `worker ${one.kind} ${one.protocol} ${place(one.address, one.port)}`);
    const turn = servers.flatMap((server) => server.urls);
    this.#fact("network", turn.length ? turn.join(", ") : "TURN –");
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    const found = await until(ICE_MS, () => ["connected", "completed"].includes(peer.iceConnectionState) || (peer.iceConnectionState === "failed" ? null : false));
    this.#fact("network", `browser ${[...this.#ownKinds].join(", ") || "–"}`);
    if (!found) throw new Wrong({ step: "network", code: blameNetwork(answer, [...this.#ownKinds], turn.length > 0, location.hostname) });
    this.#good("network", await pairOf(peer));
  }

  async #encrypt(peer: RTCPeerConnection, receiver: RTCRtpReceiver): Promise<void> {
    this.#start("encryption");
    const done = await until(DTLS_MS, () => receiver.transport?.state === "connected" || (["failed", "closed"].includes(receiver.transport?.state ?? "") ? null : false));
    if (!done) throw new Wrong({ step: "encryption", code: "dtls" });
    const [transport] = await statsOf(peer, "transport");
    this.#good("encryption", `${text(transport?.["dtlsCipher"])} ${text(transport?.["srtpCipher"])}`);
  }

  async #see(peer: RTCPeerConnection): Promise<void> {
    this.#start("picture");
    const asked = performance.now();
    const frames = (): number => this.video.getVideoPlaybackQuality().totalVideoFrames;
    const seen = await until(PICTURE_MS, () => frames() > 0 && this.video.videoWidth > 0);
    const [inbound] = await statsOf(peer, "inbound-rtp");
    const packets = Number(inbound?.["packetsReceived"] ?? 0);
    this.#fact("picture", `${packets} RTP, ${text(inbound?.["packetsLost"])} lost`);
    if (!seen) throw new Wrong({ step: "picture", code: packets > 0 ? "no_decoding" : "no_packets" });
    this.#good("picture", `${this.video.videoWidth} × ${this.video.videoHeight}, ${Math.round(performance.now() - asked)} ms`);
  }

  #step(name: StepName): Step {
    return this.steps[STEPS.indexOf(name)] as Step;
  }

  #running(): StepName {
    return this.steps.find((step) => step.state === "running")?.name ?? "browser";
  }

  #start(name: StepName): void {
    this.#step(name).state = "running";
    this.#say();
  }

  #fact(name: StepName, fact: string): void {
    if (fact.trim()) this.#step(name).facts.push(fact);
  }

  #good(name: StepName, fact = ""): void {
    this.#fact(name, fact);
    this.#step(name).state = "good";
    this.#say();
  }

  /** What came before the step that failed went well; what was begun after it did not begin. */
  #fail({ step, code }: Blame): void {
    const at = STEPS.indexOf(step);
    this.steps.forEach((one, index) => (one.state = index < at ? "good" : index === at ? "failed" : "open"));
    this.#step(step).code = code;
    this.#say();
    this.end();
  }

  #say(): void {
    if (!this.#isEnded) this.tell(this.steps.map((step) => ({ ...step, facts: [...step.facts] })));
  }
}

function place(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function text(value: unknown): string {
  return value === undefined ? "" : String(value);
}

/** True once `check` says so, false when it does not within `ms` or gives up (null). */
async function until(ms: number, check: () => boolean | null): Promise<boolean> {
  const end = performance.now() + ms;
  for (;;) {
    const verdict = check();
    if (verdict) return true;
    if (verdict === null || performance.now() > end) return false;
    await new Promise((resolve) => window.setTimeout(resolve, 50));
  }
}

type Stats = Record<string, unknown>;

async function statsOf(peer: RTCPeerConnection, type: string): Promise<Stats[]> {
  const all = [...((await peer.getStats()) as unknown as Map<string, Stats>).values()];
  return all.filter((one) => one["type"] === type);
}

/** The pair in use, as in `host → host 10.0.0.5:50001 udp, 3 ms`. */
async function pairOf(peer: RTCPeerConnection): Promise<string> {
  const report = (await peer.getStats()) as unknown as Map<string, Stats>;
  const transport = [...report.values()].find((one) => one["type"] === "transport");
  const pair = report.get(text(transport?.["selectedCandidatePairId"]));
  const local = report.get(text(pair?.["localCandidateId"]));
  const remote = report.get(text(pair?.["remoteCandidateId"]));
  if (!pair || !local || !remote) return "";
  const relay = local["relayProtocol"] ? ` (TURN ${text(local["relayProtocol"])})` : "";
  const way = `${text(local["candidateType"])}${relay} → ${text(remote["candidateType"])} ${place(text(remote["address"]), Number(remote["port"]))}`;
  return `${way}, ${Math.round(Number(pair["currentRoundTripTime"] ?? 0) * 1000)} ms`;
}
