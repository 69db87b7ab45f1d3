import { expect, test } from "vitest";
import CHROMIUM from "../../../tests/media/offers/chromium-156.sdp?raw";
import { blameAnswer, blameNetwork, candidates, h264Profiles } from "./verdict";

const ANSWER = (address: string): string => `v=0\r\na=candidate:1 1 udp 2130706431 ${address} 50001 typ host\r\n`;

test("a browser's offer has H.264 in packetization mode 1, or it has not", () => {
  expect(h264Profiles(CHROMIUM)).toEqual(expect.arrayContaining(["42001f", "42e01f", "4d001f"]));
  expect(h264Profiles(CHROMIUM.replaceAll("H264/90000", "AV1/90000"))).toEqual([]);
  expect(h264Profiles(CHROMIUM.replaceAll("packetization-mode=1", "packetization-mode=0"))).toEqual([]);
});

test("what the center answers says which step it is", () => {
  const table: [number, string, string, string][] = [
    [401, "not-signed-in", "rights", "signed_out"],
    [403, "out-of-reach", "rights", "no_right"],
    [404, "not-found", "rights", "no_right"],
    [404, "unknown-camera", "camera", "camera_off"],
    [409, "no-picture-yet", "camera", "camera_off"],
    [409, "codec-not-relayable", "camera", "not_relayable"],
    [406, "no-common-codec", "browser", "no_h264"],
    [503, "no-worker", "center", "no_worker"],
    [503, "no-media-address", "center", "worker_full"],
    [502, "unknown", "center", "no_answer"],
    [400, "bad-offer", "center", "refused"],
  ];
  for (const [status, kind, step, code] of table) expect(blameAnswer(status, kind), kind).toEqual({ step, code });
});

test("a way that ICE does not find is blamed on the address that was told, on UDP or on TURN", () => {
  expect(blameNetwork(ANSWER("127.0.0.1"), ["host"], false, "cctv.city.example")).toBe("loopback");
  expect(blameNetwork(ANSWER("127.0.0.1"), ["host"], false, "localhost")).toBe("udp_blocked");
  expect(blameNetwork(ANSWER("203.0.113.7"), ["host"], false, "cctv.city.example")).toBe("udp_blocked");
  expect(blameNetwork(ANSWER("203.0.113.7"), ["host"], true, "cctv.city.example")).toBe("turn_unreachable");
  expect(blameNetwork(ANSWER("203.0.113.7"), ["host", "relay"], true, "cctv.city.example")).toBe("turn_no_way");
});

test("candidates are read with their kind", () => {
  expect(candidates(CHROMIUM)).toContainEqual({ kind: "host", address: "fd00::2", port: 60140, protocol: "udp" });
  expect(candidates(ANSWER("192.0.2.1"))).toEqual([{ kind: "host", address: "192.0.2.1", port: 50001, protocol: "udp" }]);
});
