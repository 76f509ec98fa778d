// Text from outside, made fit to be shown. React never takes it for markup; what is left to defuse are its length, characters
// that cannot be seen, and those that turn the direction of what follows around.

/** C0 and C1 controls but tab and newline, and the characters of Unicode that steer the direction of text. */
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Each character that would not be seen as its code. */
export const visible = (text: string): string =>
  text.replace(unseen, (character) => `⟨${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

/** At most `length` characters, of which the last says that there are more; never half of a surrogate pair. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** RUNNING → Running, USER_CANCELED → User canceled */
export function words(name: string): string {
  const text = name.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** 1 trial, 2 trials */
export const plural = (amount: number, noun: string): string =>
  `${amount.toLocaleString("en-GB")} ${noun}${amount === 1 ? "" : "s"}`;
