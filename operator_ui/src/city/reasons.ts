/** Why a stream is not live, in the language chosen: the workers say it in English. */

import { language, words } from "../words";
import known from "./reasons.json";

const say = words({
  en: {
    refused: "The camera refuses the connection; check the port and that RTSP is switched on.",
    name_unknown: "The name in the address is not known; check the address.",
    unreachable: "The camera cannot be reached.",
    no_answer: "The camera does not answer.",
    wrong_password: "Wrong user name or password.",
    wants_password: "The camera wants a user name and password.",
    forbidden: "This user may not see the stream; change its rights at the camera.",
    no_stream: "There is no stream at this path; check the address.",
    no_bandwidth: "The camera has no bandwidth left; close other viewers.",
    no_session: "The camera has no free session; close other viewers, or restart it.",
    no_transport: "The camera sends neither over TCP nor over UDP; allow one of them.",
    no_udp: "The camera plays but no UDP packet arrives; check the firewall, or choose TCP.",
    sends_nothing: "The camera plays but sends nothing; restart it.",
    wrong_payload: "The camera sends something else than it describes; update its firmware.",
    stopped: "The camera stopped sending; check its network, or restart it.",
    intra_refresh: "The camera sends no key frames; switch periodic intra refresh off.",
    packets_lost: "Packets are lost; check the network.",
    no_parameters: "Parameter sets are missing; restart the camera.",
    no_key_frame: "No key frame came; set a shorter key frame interval at the camera.",
    waits_for_key_frame: "The camera plays; waiting for a key frame.",
    not_video: "The stream is no H.264 or H.265 video.",
    moved: "The camera moved the session.",
    closed: "The camera closed the connection.",
    switched_off: "Switched off in the camera register.",
    no_worker: "No worker has this camera yet.",
    not_opened: "Its worker has not opened the stream yet.",
    worker_silent: "Its worker does not answer.",
    bad_definition: "Its worker cannot use its definition; change it, or update the worker.",
  },
  ko: {
    refused: "카메라가 연결을 거부합니다. 포트와 RTSP 설정을 확인하십시오.",
    name_unknown: "주소의 이름을 찾을 수 없습니다. 주소를 확인하십시오.",
    unreachable: "카메라에 연결할 수 없습니다.",
    no_answer: "카메라가 응답하지 않습니다.",
    wrong_password: "아이디 또는 비밀번호가 틀렸습니다.",
    wants_password: "카메라가 아이디와 비밀번호를 요구합니다.",
    forbidden: "이 계정은 영상을 볼 수 없습니다. 카메라의 권한을 바꾸십시오.",
    no_stream: "해당 경로에 영상이 없습니다. 주소를 확인하십시오.",
    no_bandwidth: "카메라의 대역폭이 부족합니다. 다른 접속을 줄이십시오.",
    no_session: "카메라의 접속 한도가 찼습니다. 다른 접속을 줄이거나 다시 시작하십시오.",
    no_transport: "카메라가 TCP와 UDP 모두 보내지 않습니다. 둘 중 하나를 허용하십시오.",
    no_udp: "UDP 패킷이 도착하지 않습니다. 방화벽을 확인하거나 TCP를 선택하십시오.",
    sends_nothing: "연결되었으나 영상을 보내지 않습니다. 카메라를 다시 시작하십시오.",
    wrong_payload: "카메라가 알린 것과 다른 형식을 보냅니다. 펌웨어를 갱신하십시오.",
    stopped: "카메라가 전송을 멈췄습니다. 네트워크를 확인하거나 다시 시작하십시오.",
    intra_refresh: "키 프레임이 없습니다. 인트라 리프레시를 끄십시오.",
    packets_lost: "패킷이 손실됩니다. 네트워크를 확인하십시오.",
    no_parameters: "파라미터 세트가 없습니다. 카메라를 다시 시작하십시오.",
    no_key_frame: "키 프레임이 오지 않습니다. 카메라의 키 프레임 간격을 줄이십시오.",
    waits_for_key_frame: "연결되었습니다. 키 프레임을 기다립니다.",
    not_video: "H.264 또는 H.265 영상이 아닙니다.",
    moved: "카메라가 접속 위치를 옮겼습니다.",
    closed: "카메라가 연결을 끊었습니다.",
    switched_off: "카메라 등록에서 사용이 꺼져 있습니다.",
    no_worker: "이 카메라를 맡은 워커가 아직 없습니다.",
    not_opened: "워커가 아직 영상을 열지 않았습니다.",
    worker_silent: "워커가 응답하지 않습니다.",
    bad_definition: "워커가 이 카메라의 등록 정보를 쓸 수 없습니다. 수정하거나 워커를 갱신하십시오.",
  },
});

type Word = Parameters<typeof say>[0];

/** In Korean where it is known, else as the worker says it: its words name the address, which the translation cannot. */
export function reasonText(reason: string): string {
  if (language.value === "en" || reason === "") return reason;
  const found = known.find(([part]) => part !== undefined && reason.includes(part));
  return found ? say(found[1] as Word) : reason;
}
