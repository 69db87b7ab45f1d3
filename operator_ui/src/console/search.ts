/** Finding cameras by what a person types: name, id, category, in Korean and English, by initial consonants too. Pure. */

export interface Searchable {
  id: string;
  name: string;
  /** Further words, such as the category in every language. */
  words: readonly string[];
}

const FIRST_SYLLABLE = 0xac00;
const SYLLABLES = 11_172;
const A_INITIAL = 21 * 28;
const FINALS = 28;
const INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";

/** The initial consonant of a Hangul syllable: 수 → ㅅ. Null for anything else. */
export function initialOf(char: string): string | null {
  const code = char.charCodeAt(0) - FIRST_SYLLABLE;
  return code >= 0 && code < SYLLABLES ? INITIALS[Math.floor(code / A_INITIAL)]! : null;
}

/** Whether `typed` may stand for `char`: itself, its initial consonant, or, as the last one typed, a syllable begun. */
function standsFor(typed: string, char: string, isLast: boolean): boolean {
  if (typed === char) return true;
  if (INITIALS.includes(typed)) return initialOf(char) === typed;
  const begun = typed.charCodeAt(0) - FIRST_SYLLABLE;
  if (!isLast || begun < 0 || begun >= SYLLABLES || begun % FINALS !== 0) return false;
  const code = char.charCodeAt(0) - FIRST_SYLLABLE;
  return code >= begun && code < begun + FINALS;
}

function positionIn(text: string, typed: string): number {
  for (let start = 0; start + typed.length <= text.length; start++) {
    let length = 0;
    while (length < typed.length && standsFor(typed[length]!, text[start + length]!, length === typed.length - 1)) length++;
    if (length === typed.length) return start;
  }
  return -1;
}

const plain = (text: string): string => text.normalize("NFC").toLowerCase();

/** How well one typed word fits: 0 best, null not at all. */
function fit(thing: Searchable, typed: string): number | null {
  const name = plain(thing.name);
  const at = positionIn(name, typed);
  if (at === 0) return 0;
  if (at > 0) return /[\s\-_(]/.test(name[at - 1]!) ? 1 : 3;
  if (plain(thing.id).startsWith(typed)) return 1;
  if (plain(thing.id).includes(typed)) return 2;
  // 서둔동골목 finds 서둔동 골목, and 방범 finds the category.
  if (positionIn(name.replaceAll(/\s/g, ""), typed) >= 0) return 3;
  return thing.words.some((word) => positionIn(plain(word).replaceAll(/\s/g, ""), typed) >= 0) ? 4 : null;
}

/** Things that every typed word fits, best first, else in their order. All of them when nothing is typed. */
export function found<T extends Searchable>(things: readonly T[], typed: string): T[] {
  const parts = plain(typed).split(/\s+/).filter(Boolean);
  return things
    .flatMap((thing) => {
      const fits = parts.map((part) => fit(thing, part));
      return fits.includes(null) ? [] : [{ thing, worth: fits.reduce<number>((sum, each) => sum + (each ?? 0), 0) }];
    })
    .sort((a, b) => a.worth - b.worth)
    .map(({ thing }) => thing);
}
