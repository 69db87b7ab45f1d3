/** What a failure at each step of a live picture means: from what the center, SDP and ICE say to one code. */

export const STEPS = ["browser", "center", "rights", "camera", "network", "encryption", "picture"] as const;
export type StepName = (typeof STEPS)[number];

/** Each has words `wrong_<code>` and `mend_<code>`. */
export type Code =
  | "no_webrtc"
  | "no_h264"
  | "no_answer"
  | "signed_out"
  | "no_worker"
  | "worker_full"
  | "refused"
  | "no_right"
  | "camera_off"
  | "not_relayable"
  | "loopback"
  | "udp_blocked"
  | "turn_unreachable"
  | "turn_no_way"
  | "dtls"
  | "no_packets"
  | "no_decoding";

export interface Blame {
  step: StepName;
  code: Code;
}

/** Whether an offer has H.264 as the relay sends it (packetization mode 1); the profiles it has it in. */
export function h264Profiles(sdp: string): string[] {
  const types = new Set([...sdp.matchAll(/^a=rtpmap:(\d+) H264\/90000/gim)].map((match) => match[1]));
  const formats = [...sdp.matchAll(/^a=fmtp:(\d+) (.+)$/gm)].filter(([, type, text]) => types.has(type) && /packetization-mode=1/.test(text ?? ""));
  return [...new Set(formats.map(([, , text]) => /profile-level-id=([0-9a-f]{6})/i.exec(text ?? "")?.[1] ?? "42e01f"))];
}

/** Why an offer was not answered; `kind` is the slug of the problem. */
export function blameAnswer(status: number, kind: string): Blame {
  if (status === 401) return { step: "rights", code: "signed_out" };
  if (kind === "unknown-camera" || kind === "no-picture-yet") return { step: "camera", code: "camera_off" };
  if (status === 403 || status === 404) return { step: "rights", code: "no_right" };
  if (status === 406) return { step: "browser", code: "no_h264" };
  if (status === 409) return { step: "camera", code: "not_relayable" };
  if (kind === "no-worker") return { step: "center", code: "no_worker" };
  if (kind === "relay-full" || kind === "no-media-address") return { step: "center", code: "worker_full" };
  return status >= 502 ? { step: "center", code: "no_answer" } : { step: "center", code: "refused" };
}

/** Addresses and ports of the candidates in SDP or in a list of candidate lines, with their kind. */
export function candidates(sdp: string): { kind: string; address: string; port: number; protocol: string }[] {
  return [...sdp.matchAll(/candidate:\S+ 1 (\w+) \d+ (\S+) (\d+) typ (\w+)/g)].map((match) => ({
    kind: match[4] ?? "",
    address: match[2] ?? "",
    port: Number(match[3]),
    protocol: (match[1] ?? "").toLowerCase(),
  }));
}

/** Why ICE found no way. `pageHost` is where the page came from: who reads it there reaches loopback only if it is that. */
export function blameNetwork(answer: string, ownKinds: readonly string[], hasTurn: boolean, pageHost: string): Code {
  const theirs = candidates(answer).map((candidate) => candidate.address);
  if (theirs.length > 0 && theirs.every(isLoopback) && !isLoopback(pageHost)) return "loopback";
  if (!hasTurn) return "udp_blocked";
  return ownKinds.includes("relay") ? "turn_no_way" : "turn_unreachable";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || host.startsWith("127.");
}
