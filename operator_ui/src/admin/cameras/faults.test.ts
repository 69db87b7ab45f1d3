import { describe, expect, it } from "vitest";
import { cameraOf, draftOf, emptyDraft, newRule } from "./draft";
import { faultAt, faultsElsewhere, formField } from "./faults";

describe("faults of the API", () => {
  it("come to the field of the form without the name of the rule's form", () => {
    expect(formField("zones.0.rules.1.dumping.owner_gone_seconds")).toBe("zones.0.rules.1.owner_gone_seconds");
    expect(formField("position.latitude")).toBe("position.latitude");
  });

  it("are found at a field and inside it, and not beside it", () => {
    const faults = [{ field: "zones.1.polygon.2.0", message: "must be at most 1" }];
    expect(faultAt(faults, "zones.1.polygon")?.message).toBe("must be at most 1");
    expect(faultAt(faults, "zones.1.name")).toBeUndefined();
    expect(faultAt(faults, "zones.11.polygon")).toBeUndefined();
  });

  it("that no field shows are not lost", () => {
    const faults = [
      { field: "main", message: "must look like rtsp://" },
      { field: "body", message: "zone names must differ" },
    ];
    expect(faultsElsewhere(faults).map((fault) => fault.field)).toEqual(["body"]);
  });
});

describe("a camera in the form", () => {
  it("keeps a stored password by not naming it, and removes it by an empty one", () => {
    expect("password" in cameraOf(emptyDraft())).toBe(false);
    expect(cameraOf({ ...emptyDraft(), removePassword: true, password: "typed" }).password).toBe("");
    expect(cameraOf({ ...emptyDraft(), password: "typed" }).password).toBe("typed");
  });

  it("comes back from the form as it went in", () => {
    const draft = { ...emptyDraft(), id: "a", name: "A", purpose: "p", main: "rtsp://h/a", latitude: "37.5", longitude: "127" };
    draft.zones = [{ name: "z", points: [["0", "0"], ["1", "0"], ["1", "0.5"]], rules: [newRule("dumping")] }];
    const camera = cameraOf(draft);
    expect(camera.position).toEqual({ latitude: 37.5, longitude: 127 });
    expect(camera.zones[0]?.rules[0]).toEqual({ kind: "dumping", severity: "caution", owner_gone_seconds: 10 });
    expect(draftOf({ ...camera, has_password: false } as never)).toEqual(draft);
  });

  it("sends a text that is no number as it was typed, so that the fault names it", () => {
    const camera = cameraOf({ ...emptyDraft(), latitude: "north", longitude: "" });
    expect(camera.position).toEqual({ latitude: "north", longitude: "" });
  });
});
