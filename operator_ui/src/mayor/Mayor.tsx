import { useEffect } from "preact/hooks";
import { TopBar } from "../app/TopBar";
import { asProblem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { cameras, cityError, openAlarms, refresh } from "../city/city";
import { CityMap } from "../map/CityMap";
import { word } from "../words";
import { Categories } from "./Categories";
import { Figures } from "./Figures";
import { category, closePicture, openPicture, picture } from "./picture";
import { Situations } from "./Situations";
import { Viewer } from "./Viewer";
import { say } from "./words";
import "./mayor.css";

/** Points are as large as the screen: a wall is read from afar, a phone from near. */
const MAP_SIZE = window.innerWidth > 900 ? 1.35 : 1.1;

/** The city on one screen that is touched: categories, map, what is going on, and any picture with one touch. */
export function Mayor() {
  useEffect(
    () => () => {
      closePicture();
      category.value = null;
    },
    [],
  );
  const shown = picture.value;
  return (
    <div class="mayor">
      <div class="mayor-page" inert={shown !== null}>
        <TopBar title={word("page_mayor")} />
        <Figures />
        <Board />
      </div>
      {shown && <Viewer shown={shown} />}
    </div>
  );
}

function Board() {
  const all = cameras.value;
  if (all === null && cityError.value) {
    return (
      <div class="page-note">
        <ProblemNote problem={asProblem(cityError.value)} />
        <button type="button" onClick={() => void refresh()}>
          {word("try_again")}
        </button>
      </div>
    );
  }
  if (all === null) return <p class="page-note">{say("loading")}</p>;
  if (all.length === 0) return <p class="page-note">{say("no_cameras")}</p>;
  const chosen = category.value;
  const highlighted = chosen ? new Set(all.filter((camera) => camera.category === chosen).map((camera) => camera.id)) : null;
  return (
    <main class="mayor-board">
      <Categories />
      <div class="mayor-map">
        <CityMap
          cameras={all}
          incidents={openAlarms.value}
          highlighted={highlighted}
          size={MAP_SIZE}
          onPick={(id) => openPicture(id, "map")}
        />
      </div>
      <Situations />
    </main>
  );
}
