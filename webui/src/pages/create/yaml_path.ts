// Where in a YAML document a cursor is, from indentation alone: the text is half-written, so that no parser takes it.

export interface YamlPlace {
  /** Keys from the outside in; `-` stands for an item of a list. */
  readonly path: readonly string[];
  /** The key whose value is being written on this line, if its colon is there. */
  readonly key: string | null;
  /** What has been written of the key or value. */
  readonly begun: string;
  /** Keys that the same mapping has already. */
  readonly siblings: readonly string[];
}

interface Line {
  readonly indent: number;
  /** How many `- ` precede the key. */
  readonly items: number;
  readonly key: string | null;
  readonly value: string;
}

function parseLine(text: string): Line | null {
  const match = /^(\s*)((?:- +)*)(.*)$/.exec(text);
  const [, space = "", dashes = "", rest = ""] = match ?? [];
  if (rest.trim() === "" && dashes === "") return null;
  if (rest.startsWith("#")) return null;
  const entry = /^("[^"]*"|'[^']*'|[^\s:#][^:#]*?)\s*:(?:\s+(.*))?$/.exec(rest);
  const items = dashes.split("-").length - 1;
  const key = entry?.[1]?.replace(/^["']|["']$/g, "") ?? null;
  return { indent: space.length + dashes.length, items, key, value: entry ? (entry[2] ?? "") : rest };
}

/** The place at an offset of the text. */
export function yamlPlace(text: string, offset: number): YamlPlace {
  const before = text.slice(0, offset);
  const lines = before.split("\n");
  const current = lines.at(-1) ?? "";
  const shape = /^(\s*)((?:- +)*)(.*)$/.exec(current);
  const indent = (shape?.[1]?.length ?? 0) + (shape?.[2]?.length ?? 0);
  const written = shape?.[3] ?? "";
  const entry = /^([^\s:#][^:#]*?)\s*:\s+(.*)$/.exec(written);
  const isItem = (shape?.[2]?.length ?? 0) > 0;

  const path: string[] = isItem ? ["-"] : [];
  const siblings: string[] = [];
  let limit = indent;
  let isSameMapping = !isItem;
  for (let index = lines.length - 2; index >= 0 && (limit > 0 || isSameMapping); index--) {
    const line = parseLine(lines[index] ?? "");
    if (!line) continue;
    if (line.indent === limit && line.key !== null && isSameMapping) siblings.push(line.key);
    if (line.indent === limit && line.items > 0 && isSameMapping) {
      path.unshift("-");
      isSameMapping = false;
    }
    const own = line.indent - 2 * line.items;
    const isParent =
      line.key !== null &&
      line.value === "" &&
      (line.indent < limit || (path[0] === "-" && own < limit && line.indent <= limit && line.items === 0));
    if (!isParent || line.key === null) continue;
    if (line.indent === limit && path[0] !== "-") continue;
    path.unshift(line.key);
    limit = line.indent;
    isSameMapping = false;
    if (line.items > 0) path.unshift("-");
  }
  return { path, key: entry?.[1] ?? null, begun: entry ? (entry[2] ?? "") : written, siblings };
}
