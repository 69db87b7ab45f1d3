import { words } from "../words";

export const say = words({
  en: {
    map: "Map of the cameras",
    loading: "The map is being drawn",
    no_webgl: "This browser cannot draw the map (it has no WebGL 2). Here are its cameras as a list.",
    failed: "The map could not be loaded. Here are its cameras as a list.",
    no_cameras: "No camera to show.",
    no_places: "None of these cameras has a position yet.",
    without_place: "without a position",
    grid: "one square",
    live: "live",
    not_live: "no picture",
    alarm: "alarm",
    place: "scene",
  },
  ko: {
    map: "카메라 위치도",
    loading: "지도를 그리는 중",
    no_webgl: "이 브라우저는 지도를 표시할 수 없습니다(WebGL 2 미지원). 카메라를 목록으로 표시합니다.",
    failed: "지도를 불러오지 못했습니다. 카메라를 목록으로 표시합니다.",
    no_cameras: "표시할 카메라가 없습니다.",
    no_places: "위치가 등록된 카메라가 없습니다.",
    without_place: "위치 미등록",
    grid: "격자 한 칸",
    live: "정상",
    not_live: "영상 없음",
    alarm: "알람",
    place: "현장",
  },
});
