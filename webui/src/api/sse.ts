// Server-sent events, cut out of the text of a stream (HTML standard, 9.2.6).

export interface ServerEvent {
  readonly id: string;
  readonly kind: string;
  readonly data: string;
}

/** A function to call with each piece of text as it comes; `take` gets each event once it is complete. */
export function eventParser(take: (event: ServerEvent) => void): (text: string) => void {
  let rest = "";
  let id = "";
  let kind = "message";
  let data: string[] = [];

  const takeLine = (line: string): void => {
    if (line === "") {
      if (data.length > 0) take({ id, kind, data: data.join("\n") });
      kind = "message";
      data = [];
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") kind = value;
    else if (field === "id") id = value;
  };

  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) takeLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  };
}
