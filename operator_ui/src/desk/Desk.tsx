import { TopBar } from "../app/TopBar";
import { word } from "../words";

export function Desk() {
  return (
    <div class="plain-page">
      <TopBar title={word("page_desk")} />
    </div>
  );
}
