import { TopBar } from "../app/TopBar";
import { word } from "../words";

export function Mayor() {
  return (
    <div class="plain-page">
      <TopBar title={word("page_mayor")} />
    </div>
  );
}
