// Who ran where and when: attempts in rows, one row a slot, so that none covers another.
import type { Timeline } from "../../api/analysis";
import type { Trial } from "../../api/types";

export type Attempt = Timeline["items"][number];

export interface Slot {
  readonly host: string;
  /** Counts from 1 on each host. */
  readonly number: number;
}

export interface Slots {
  readonly slots: readonly Slot[];
  /** The slot of each attempt, in their order. */
  readonly places: readonly number[];
}

/**
 * Puts each attempt into the first slot of its host that is free when it starts. Agents do not tell slots; this is the least
 * number of rows that shows what ran at the same time.
 */
export function slotsOf(attempts: readonly Attempt[], hosts: readonly string[], now: number): Slots {
  const order = attempts
    .map((attempt, index) => ({ attempt, index }))
    .sort((a, b) => a.attempt.start - b.attempt.start);
  const ends: number[][] = hosts.map(() => []);
  const own: number[] = [];
  for (const { attempt, index } of order) {
    const lane = (ends[attempt.lane] ??= []);
    const free = lane.findIndex((end) => end <= attempt.start);
    const place = free < 0 ? lane.length : free;
    lane[place] = attempt.end ?? now;
    own[index] = place;
  }
  const offsets: number[] = [];
  const slots = ends.flatMap((lane, host): Slot[] => {
    offsets[host] = ends.slice(0, host).reduce((sum, each) => sum + each.length, 0);
    return lane.map((_, place) => ({ host: hosts[host] ?? "", number: place + 1 }));
  });
  return { slots, places: attempts.map(({ lane }, index) => (offsets[lane] ?? 0) + (own[index] ?? 0)) };
}

/** Adds what has come since; an attempt that is known takes its new state. */
export function withAttempts(timeline: Timeline, trials: readonly Trial[]): Timeline {
  const started = trials.filter(({ startTime }) => startTime !== undefined);
  if (started.length === 0) return timeline;
  const lanes = [...timeline.lanes];
  const items = new Map(timeline.items.map((item) => [`${item.id} ${item.attempt}`, item]));
  for (const { id, sequence, attempt, status, startTime, endTime, host = "local" } of started) {
    let lane = lanes.findIndex((each) => each.host === host);
    if (lane < 0) lane = lanes.push({ host }) - 1;
    const item = { lane, id, sequence, attempt, status, start: startTime ?? 0 };
    items.set(`${id} ${attempt}`, endTime === undefined ? item : { ...item, end: endTime });
  }
  return { ...timeline, lanes, items: [...items.values()] };
}
