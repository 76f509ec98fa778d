import { describe, expect, it } from "vitest";
import { connection, followEvents, type Surroundings } from "../../src/api/event_stream";

type Answer = Response | "refused";

/** A daemon whose connections are written by hand, and a world in which no time passes. */
function fakeWorld(answers: Answer[], end: AbortController) {
  const asked: (string | null)[] = [];
  const waited: number[] = [];
  const world: Surroundings = {
    fetch: (_path, init) => {
      asked.push(new Headers(init?.headers).get("Last-Event-ID"));
      const answer = answers.shift();
      if (answer === undefined) {
        end.abort();
        return Promise.reject(new DOMException("over", "AbortError"));
      }
      return answer === "refused" ? Promise.reject(new TypeError("refused")) : Promise.resolve(answer);
    },
    wait: (ms) => {
      waited.push(ms);
      return Promise.resolve();
    },
    whenSeen: () => Promise.resolve(),
    unseen: () => ({ signal: new AbortController().signal, release: () => undefined }),
  };
  return { world, asked, waited };
}

const stream = (text: string): Response => new Response(text, { status: 200 });

async function follow(answers: Answer[]) {
  const end = new AbortController();
  const { world, asked, waited } = fakeWorld(answers, end);
  const seen: string[] = [];
  await followEvents(
    "/events",
    { ready: () => seen.push("ready"), event: (kind, data) => seen.push(`${kind} ${JSON.stringify(data)}`) },
    end.signal,
    world,
  );
  return { seen, asked, waited };
}

describe("followEvents", () => {
  it("goes on behind the last event when the connection breaks", async () => {
    const { seen, asked } = await follow([
      stream("id: e-1\nevent: ready\ndata: {}\n\nid: e-2\nevent: trial\ndata: 1\n\n"),
      stream("id: e-3\nevent: trial\ndata: 2\n\n"),
    ]);
    expect(seen).toEqual(["ready", "trial 1", "trial 2"]);
    expect(asked).toEqual([null, "e-2", "e-3"]);
  });

  it("tells to fetch when events were lost", async () => {
    const { seen, asked } = await follow([
      stream("id: old-9\nevent: trial\ndata: 1\n\n"),
      stream("id: new-1\nevent: reset\ndata: {}\n\n"),
    ]);
    expect(seen).toEqual(["trial 1", "ready"]);
    expect(asked.at(-1)).toBe("new-1");
  });

  it("drops half an event that a break has cut off, and gets it again", async () => {
    const { seen, asked } = await follow([
      stream("id: e-1\nevent: trial\ndata: 1\n\nid: e-2\nevent: trial\nda"),
      stream("id: e-2\nevent: trial\ndata: 2\n\n"),
    ]);
    expect(seen).toEqual(["trial 1", "trial 2"]);
    expect(asked).toEqual([null, "e-1", "e-2"]);
  });

  it("waits longer each time that the daemon does not answer, and not after it did", async () => {
    const refused = Array.from({ length: 5 }, (): Answer => "refused");
    const { waited } = await follow([...refused, stream("id: 1\ndata: 1\n\n"), "refused"]);
    expect(waited).toEqual([500, 1000, 2000, 4000, 5000, 500, 1000]);
  });

  it("says how the connection is", async () => {
    const states: string[] = [];
    const release = connection.subscribe(() => states.push(connection.get()));
    await follow([stream("id: 1\ndata: 1\n\n")]);
    release();
    expect(states).toEqual(["connecting", "live", "broken", "none"]);
  });
});
