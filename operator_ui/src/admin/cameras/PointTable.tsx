import { say } from "./form-words";
import { WHOLE_PICTURE, type ZoneDraft } from "./draft";

type Points = ZoneDraft["points"];

/** A polygon as a table of its points, and its shape beside it. */
export function PointTable({ points, onChange }: { points: Points; onChange: (points: Points) => void }) {
  const set = (index: number, axis: 0 | 1, value: string): void =>
    onChange(points.map((point, at): [string, string] => (at !== index ? point : axis ? [point[0], value] : [value, point[1]])));
  return (
    <div class="points">
      <table>
        <thead>
          <tr>
            <th scope="col">{say("points")}</th>
            <th scope="col">x</th>
            <th scope="col">y</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {points.map((point, index) => (
            <tr key={index}>
              <th scope="row">{index + 1}</th>
              {([0, 1] as const).map((axis) => (
                <td key={axis}>
                  <input
                    inputMode="decimal"
                    aria-label={`${say("points")} ${index + 1} ${axis ? "y" : "x"}`}
                    value={point[axis]}
                    data-faulty={!isFraction(point[axis])}
                    onInput={(event) => set(index, axis, event.currentTarget.value)}
                  />
                </td>
              ))}
              <td>
                <button type="button" class="quiet" aria-label={say("point_remove")} onClick={() => onChange(points.filter((_, at) => at !== index))}>
                  ×
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="points-shape">
        <svg viewBox="0 0 160 90" role="img" aria-label={say("preview")}>
          <polygon points={points.filter(([x, y]) => isFraction(x) && isFraction(y)).map(([x, y]) => `${Number(x) * 160},${Number(y) * 90}`).join(" ")} />
          {points.map(([x, y], index) => isFraction(x) && isFraction(y) && <Corner key={index} x={Number(x)} y={Number(y)} label={index + 1} />)}
        </svg>
        <span>
          <button type="button" onClick={() => onChange([...points, ["0.5", "0.5"]])}>
            {say("point_add")}
          </button>
          <button type="button" onClick={() => onChange(WHOLE_PICTURE)}>
            {say("whole_picture")}
          </button>
        </span>
      </div>
    </div>
  );
}

function Corner({ x, y, label }: { x: number; y: number; label: number }) {
  return (
    <g>
      <circle cx={x * 160} cy={y * 90} r="2" />
      <text x={Math.min(x * 160 + 3, 150)} y={Math.max(y * 90 - 3, 8)}>
        {label}
      </text>
    </g>
  );
}

function isFraction(text: string): boolean {
  const value = Number(text);
  return text.trim() !== "" && value >= 0 && value <= 1;
}
