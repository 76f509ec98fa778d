// Terminal output as styled pieces of text. Colours and weights (SGR) become classes, every other escape sequence is dropped.

export interface Piece {
  readonly text: string;
  /** Space-separated names: `fg-1`, `bg-12`, `bold`, `faint`, `italic`, `underline`. */
  readonly style: string;
}

interface Style {
  foreground: number | null;
  background: number | null;
  marks: ReadonlySet<string>;
}

const plain: Style = { foreground: null, background: null, marks: new Set() };
const marksOn: Readonly<Record<number, string>> = { 1: "bold", 2: "faint", 3: "italic", 4: "underline" };
const marksOff: Readonly<Record<number, readonly string[]>> = {
  22: ["bold", "faint"],
  23: ["italic"],
  24: ["underline"],
};

/** CSI … final, OSC … BEL or ST, other two-byte escapes; the parameters of SGR are group 1. */
const escapes =
  /\u001b\[([0-9;:]*)m|\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-_]?/g;

function className({ foreground, background, marks }: Style): string {
  const names = [...marks];
  if (foreground !== null) names.push(`fg-${foreground}`);
  if (background !== null) names.push(`bg-${background}`);
  return names.join(" ");
}

/** The nearest of the 16 colours to one of 256; those have a contrast that was chosen for the page. */
function nearest(index: number): number | null {
  if (index < 16) return index;
  if (index >= 232) return index < 238 ? 0 : index < 244 ? 8 : index < 250 ? 7 : 15;
  const cube = index - 16;
  const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
  const most = Math.max(red, green, blue);
  if (most === 0) return 0;
  const half = most / 2;
  return (red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0) + (most > 3 ? 8 : 0);
}

function withCodes(style: Style, codes: readonly number[]): Style {
  let next = style;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    const on = marksOn[code];
    const off = marksOff[code];
    if (code === 0) next = plain;
    else if (on) next = { ...next, marks: new Set([...next.marks, on]) };
    else if (off) next = { ...next, marks: new Set([...next.marks].filter((mark) => !off.includes(mark))) };
    else if (code >= 30 && code <= 37) next = { ...next, foreground: code - 30 };
    else if (code >= 90 && code <= 97) next = { ...next, foreground: code - 90 + 8 };
    else if (code >= 40 && code <= 47) next = { ...next, background: code - 40 };
    else if (code >= 100 && code <= 107) next = { ...next, background: code - 100 + 8 };
    else if (code === 39) next = { ...next, foreground: null };
    else if (code === 49) next = { ...next, background: null };
    else if (code === 38 || code === 48) {
      const isIndexed = codes[i + 1] === 5;
      const colour = isIndexed ? nearest(codes[i + 2] ?? 0) : null;
      next = code === 38 ? { ...next, foreground: colour } : { ...next, background: colour };
      i += isIndexed ? 2 : 4;
    }
  }
  return next;
}

/** One line in pieces. Of what a carriage return overwrites only the last is kept, as on a terminal (progress bars). */
export function ansiPieces(line: string): Piece[] {
  const trimmed = line.replace(/\r+$/, "");
  const text = trimmed.slice(trimmed.lastIndexOf("\r") + 1);
  const pieces: Piece[] = [];
  let style = plain;
  let from = 0;
  const push = (piece: string): void => {
    if (piece) pieces.push({ text: piece, style: className(style) });
  };
  for (const match of text.matchAll(escapes)) {
    push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) style = withCodes(style, match[1].split(/[;:]/).map(Number));
  }
  push(text.slice(from));
  return pieces;
}

/** The text of a line without its codes, for search and copies. */
export const ansiText = (line: string): string =>
  ansiPieces(line)
    .map(({ text }) => text)
    .join("");
