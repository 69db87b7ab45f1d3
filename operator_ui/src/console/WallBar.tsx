import { say } from "./words";
import { LAYOUTS, type Layout } from "./layout";
import { layout, page, pages, turnPage } from "./pages";
import { prefer, preferences } from "./preferences";

/** Layout of the wall, its pages, and whether alarms come forward. */
export function WallBar() {
  return (
    <div class="wall-bar">
      <div class="layouts" role="group" aria-label={say("layout")}>
        {LAYOUTS.map((each, index) => (
          <button
            key={each.tiles}
            type="button"
            data-layout={each.tiles}
            aria-pressed={each.tiles === layout.value.tiles}
            aria-label={`${each.tiles} ${say("tiles")}`}
            aria-keyshortcuts={`Alt+${index + 1}`}
            title={`${each.tiles} ${say("tiles")} · Alt+${index + 1}`}
            onClick={() => prefer({ tiles: each.tiles })}
          >
            <LayoutIcon layout={each} />
          </button>
        ))}
      </div>
      <label class="switch" title={say("forward_hint")}>
        <input
          type="checkbox"
          data-testid="comes-forward"
          checked={preferences.value.comesForward}
          onChange={(event) => prefer({ comesForward: event.currentTarget.checked })}
        />
        {say("forward")}
      </label>
      <span class="spring" />
      {pages.value > 1 && (
        <div class="pager" role="group" aria-label={say("page")}>
          <button type="button" aria-label={say("previous_page")} data-testid="previous-page" onClick={() => turnPage(-1)}>
            ‹
          </button>
          <span data-testid="page">
            {page.value + 1} / {pages.value}
          </span>
          <button type="button" aria-label={say("next_page")} data-testid="next-page" onClick={() => turnPage(1)}>
            ›
          </button>
        </div>
      )}
    </div>
  );
}

function LayoutIcon({ layout: { columns, rows } }: { layout: Layout }) {
  const gap = 1;
  const width = (20 - gap * (columns - 1)) / columns;
  const height = (14 - gap * (rows - 1)) / rows;
  return (
    <svg width="20" height="14" viewBox="0 0 20 14" aria-hidden="true">
      {Array.from({ length: columns * rows }, (_, index) => (
        <rect
          key={index}
          x={(index % columns) * (width + gap)}
          y={Math.floor(index / columns) * (height + gap)}
          width={width}
          height={height}
          rx="0.5"
          fill="currentColor"
        />
      ))}
    </svg>
  );
}
