import { words } from "../words";

export const say = words({
  en: {
    figures: "Figures of today",
    alarms_today: "Alarms today",
    alarms_open_now: "open",
    judged: "Found real",
    judged_false: "false",
    judged_unsure: "unsure",
    dispatched: "Dispatched",
    police: "Police 112",
    fire: "Fire 119",
    time_to_acknowledge: "Time to acknowledge",
    time_to_arrive: "Time to arrival",
    median: "median",
    ninety_fifth: "95 of 100 within",
    none_yet: "none yet",
    cameras_live: "Cameras live",
    all_live: "all of them",
    not_live: "without a picture",
    categories: "What the city watches",
    all_categories: "All categories",
    no_cameras_here: "No camera in this category.",
    touch_hint: "Touch a camera for its live picture",
    going_on: "Going on now",
    nothing_going_on: "Nothing is going on. Open alarms appear here.",
    alarms: "Alarms",
    next: "Next nearest",
    previous: "Back",
    close: "Close",
    from_here: "from the first",
    began_here: "chosen",
    camera_gone: "This camera has been removed.",
    no_cameras: "No camera is registered yet. An administrator adds them.",
    loading: "Loading the city",
    s: "s",
    min: "min",
    h: "h",
  },
  ko: {
    figures: "오늘의 현황",
    alarms_today: "오늘 알람",
    alarms_open_now: "진행 중",
    judged: "실제 상황",
    judged_false: "오경보",
    judged_unsure: "불확실",
    dispatched: "출동 요청",
    police: "경찰 112",
    fire: "소방 119",
    time_to_acknowledge: "확인까지 걸린 시간",
    time_to_arrive: "현장 도착까지",
    median: "중앙값",
    ninety_fifth: "95%가 이내",
    none_yet: "아직 없음",
    cameras_live: "정상 카메라",
    all_live: "전체 정상",
    not_live: "영상 없음",
    categories: "관제 분야",
    all_categories: "전체 분야",
    no_cameras_here: "이 분야에 등록된 카메라가 없습니다.",
    touch_hint: "카메라를 누르면 실시간 영상이 나옵니다",
    going_on: "진행 중인 상황",
    nothing_going_on: "진행 중인 상황이 없습니다. 알람이 발생하면 여기에 표시됩니다.",
    alarms: "알람",
    next: "다음 가까운 곳",
    previous: "이전",
    close: "닫기",
    from_here: "처음 위치에서",
    began_here: "선택한 카메라",
    camera_gone: "삭제된 카메라입니다.",
    no_cameras: "등록된 카메라가 없습니다. 시스템 관리자가 등록합니다.",
    loading: "불러오는 중",
    s: "초",
    min: "분",
    h: "시간",
  },
});

/** `42 s`, `4 min 10 s`, `1 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor((whole % 3_600) / 60), whole % 60];
  const parts: [number, "h" | "min" | "s"][] = hours ? [[hours, "h"], [minutes, "min"]] : minutes ? [[minutes, "min"], [rest, "s"]] : [[rest, "s"]];
  return parts
    .filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) => `${value}\u00a0${say(unit)}`)
    .join(" ");
}
