// Who ran where and when: each lane is a place of a host, in which attempts never overlap.
import type { Timeline } from "../../api/analysis";
import type { Trial } from "../../api/types";

/** Attempts and the lanes that they are in. */
export type Lanes = Omit<Timeline, "total">;
type Attempt = Timeline["items"][number];
type Lane = Timeline["lanes"][number];

/** The lane of a host that is free for a new attempt, or the number of one that is to be added. */
function freeLane(lanes: readonly Lane[], items: Iterable<Attempt>, host: string): number {
  const busy = new Set<number>();
  for (const { lane, end } of items) if (end === undefined) busy.add(lane);
  const free = lanes.findIndex((lane, place) => lane.host === host && !busy.has(place));
  return free < 0 ? lanes.length : free;
}

/** Adds what has come since; an attempt that is known keeps its lane and takes its new state. */
export function withAttempts(timeline: Lanes, trials: readonly Trial[]): Lanes {
  const started = trials.filter(({ startTime }) => startTime !== undefined);
  if (started.length === 0) return timeline;
  const lanes = [...timeline.lanes];
  const items = new Map(timeline.items.map((item) => [`${item.id} ${item.attempt}`, item]));
  // Ends first: they make room for what starts.
  started.sort((a, b) => Number(a.endTime === undefined) - Number(b.endTime === undefined));
  for (const { id, sequence, attempt, status, startTime = 0, endTime, host = "local" } of started) {
    const key = `${id} ${attempt}`;
    const lane = items.get(key)?.lane ?? freeLane(lanes, items.values(), host);
    if (lane === lanes.length) lanes.push({ host, slot: lanes.filter((each) => each.host === host).length });
    const item = { lane, id, sequence, attempt, status, start: startTime };
    items.set(key, endTime === undefined ? item : { ...item, end: endTime });
  }
  return { ...timeline, lanes, items: [...items.values()] };
}

/** `host · 1` for each lane. */
export const laneTitles = (lanes: readonly Lane[]): string[] => lanes.map(({ host, slot }) => `${host} · ${slot + 1}`);

/** The share of the time in which the lanes were busy; a sample does not tell. */
export function busyShare({ items, lanes, sampled }: Lanes, now: number): number | null {
  if (sampled || items.length === 0) return null;
  const busy = items.reduce((sum, { start, end }) => sum + ((end ?? now) - start), 0);
  const from = Math.min(...items.map(({ start }) => start));
  const until = Math.max(...items.map(({ end }) => end ?? now));
  return busy / Math.max(1, (until - from) * lanes.length);
}
