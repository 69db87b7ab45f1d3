/** Words for problem kinds (`urn:haechi:problem:<kind>`); `no-answer` and `unknown` are the browser's own. */

import { words } from "../words";

export const sayProblem = words({
  en: {
    "no-answer": "The control center does not answer. Try again in a moment.",
    unknown: "That did not work.",
    "not-signed-in": "You are no longer signed in.",
    "wrong-password": "The name or the password is wrong.",
    "too-many-tries": "Too many tries. Wait a little, then try again.",
    "no-right": "Your role does not allow this.",
    "other-site": "The request came from another site and was refused.",
    "not-found": "This no longer exists, or it is not yours to see.",
    invalid: "Something in the form is not right.",
    "incident-state": "The alarm has moved on meanwhile; this step is no longer possible.",
    "out-of-reach": "This camera is not open to you. The attempt was written to the ledger.",
    "last-administrator": "The last administrator cannot be disabled or given another role.",
    "no-worker": "The camera's stream worker does not answer; it is being tried again.",
    "worker-refused": "The camera's stream worker could not give the picture.",
    storage: "The center cannot store it now. Try again in a moment.",
    "too-large": "That is too large.",
  },
  ko: {
    "no-answer": "관제 서버가 응답하지 않습니다. 잠시 후 다시 시도하십시오.",
    unknown: "처리하지 못했습니다.",
    "not-signed-in": "로그인이 끝났습니다. 다시 로그인하십시오.",
    "wrong-password": "계정 또는 비밀번호가 맞지 않습니다.",
    "too-many-tries": "시도가 너무 많습니다. 잠시 후 다시 시도하십시오.",
    "no-right": "이 작업을 할 권한이 없습니다.",
    "other-site": "다른 사이트에서 온 요청이라 거부되었습니다.",
    "not-found": "없는 항목이거나 볼 수 없는 항목입니다.",
    invalid: "입력한 내용을 확인하십시오.",
    "incident-state": "알람 상태가 이미 바뀌어 이 단계를 할 수 없습니다.",
    "out-of-reach": "볼 수 없는 카메라입니다. 시도한 기록이 원장에 남았습니다.",
    "last-administrator": "마지막 관리자는 중지하거나 역할을 바꿀 수 없습니다.",
    "no-worker": "영상 서버가 응답하지 않아 다시 시도하고 있습니다.",
    "worker-refused": "영상 서버가 영상을 보내지 못했습니다.",
    storage: "지금은 저장할 수 없습니다. 잠시 후 다시 시도하십시오.",
    "too-large": "내용이 너무 큽니다.",
  },
});
