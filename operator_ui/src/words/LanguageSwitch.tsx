import { language, type Language } from ".";

const NAMES: Record<Language, string> = { ko: "한국어", en: "English" };

export function LanguageSwitch() {
  return (
    <div class="language" role="group" aria-label="Language">
      {(Object.keys(NAMES) as Language[]).map((code) => (
        <button
          key={code}
          type="button"
          aria-pressed={language.value === code}
          onClick={() => {
            language.value = code;
          }}
        >
          {NAMES[code]}
        </button>
      ))}
    </div>
  );
}
