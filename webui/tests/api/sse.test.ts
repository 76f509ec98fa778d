import { describe, expect, it } from "vitest";
import { eventParser, type ServerEvent } from "../../src/api/sse";

function parsed(...pieces: string[]): ServerEvent[] {
  const events: ServerEvent[] = [];
  const parse = eventParser((event) => events.push(event));
  pieces.forEach(parse);
  return events;
}

describe("eventParser", () => {
  it("reads id, kind and data", () => {
    expect(parsed('id: a-1\nevent: trial\ndata: {"x":1}\n\n')).toEqual([{ id: "a-1", kind: "trial", data: '{"x":1}' }]);
  });

  it("takes pieces that end anywhere", () => {
    const text = "id: a-1\nevent: trial\ndata: one\n\nid: a-2\ndata: two\n\n";
    const whole = parsed(text);
    for (let cut = 1; cut < text.length; cut++) expect(parsed(text.slice(0, cut), text.slice(cut))).toEqual(whole);
  });

  it("joins data lines, keeps the id, forgets the kind", () => {
    expect(parsed("id: 7\nevent: a\ndata: x\ndata:y\n\ndata: z\n\n")).toEqual([
      { id: "7", kind: "a", data: "x\ny" },
      { id: "7", kind: "message", data: "z" },
    ]);
  });

  it("leaves out comments, unknown fields and events without data", () => {
    expect(parsed(": heartbeat\n\nretry: 5\nevent: nothing\n\ndata: x\r\n\r\n")).toEqual([
      { id: "", kind: "message", data: "x" },
    ]);
  });
});
