/** The center's API with types generated from its OpenAPI document (`npm run client`). */

import createClient from "openapi-fetch";
import type { Readable } from "openapi-typescript-helpers";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Camera = Readable<Schemas["CameraView"]>;
export type Session = Readable<Schemas["SessionView"]>;
export type Incident = Readable<Schemas["IncidentView"]>;
export type Dispatch = Readable<Schemas["DispatchView"]>;
export type Step = Readable<Schemas["StepView"]>;
export type Hold = Readable<Schemas["HoldView"]>;
export type Figures = Readable<Schemas["FiguresView"]>;
export type Position = Readable<Schemas["PositionView"]>;
export type Zone = Readable<Schemas["ZoneView"]>;
export type Desk = Dispatch["desk"];
export type Verdict = NonNullable<Incident["verdict"]>;
export type Severity = Incident["severity"];

export const api = createClient<paths>({ baseUrl: "" });

export { problemText } from "./problem";
