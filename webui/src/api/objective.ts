// What an experiment is after, from its configuration.
import { atPath } from "./trial_columns";
import type { Experiment } from "./types";

export type Goal = "maximize" | "minimize";

export interface Objective {
  /** Of a compression experiment the measure's key, else "metric". */
  readonly name: string;
  readonly goal: Goal;
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

export function objectiveOf(experiment: Experiment): Objective {
  const { config } = experiment;
  const told = atPath(experiment, "objective.metric");
  const goal = atPath(experiment, "objective.goal") ?? atPath(config, "tuner.classArgs.optimize_mode");
  const name = text(told) ?? text(atPath(config, "compression.objective.metric")) ?? "default";
  return { name: name === "default" ? "metric" : name, goal: goal === "minimize" ? "minimize" : "maximize" };
}

/** The better of two metrics is first. */
export const byGoal =
  (goal: Goal) =>
  (a: number, b: number): number =>
    goal === "maximize" ? b - a : a - b;

export const isCompression = (experiment: Experiment): boolean =>
  atPath(experiment.config, "compression") !== undefined;

/** Where its trials run: the platforms of its training services, `local` where it names none. */
export function platformsOf(experiment: Experiment): string[] {
  const service = atPath(experiment.config, "trainingService");
  const all = Array.isArray(service) ? service : [service];
  return [...new Set(all.map((each) => text(atPath(each, "platform")) ?? "local"))];
}

/** How many trials are over, and how many there can be. */
export function progressOf(experiment: Experiment): {
  ended: number;
  running: number;
  waiting: number;
  most: number | null;
} {
  const counts = experiment.counts as Readonly<Record<string, number>>;
  const of = (...names: string[]): number => names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  const most = atPath(experiment.config, "maxTrialNumber");
  return {
    ended: of("SUCCEEDED", "FAILED", "USER_CANCELED", "SYS_CANCELED", "EARLY_STOPPED"),
    running: of("RUNNING", "UNKNOWN"),
    waiting: of("WAITING"),
    most: typeof most === "number" ? most : null,
  };
}

/**
 * Seconds until an experiment reaches a limit, from its pace so far; null when nothing tells. Both limits are looked at:
 * the one that is reached first ends it.
 */
export function timeLeft(experiment: Experiment, longest: number | null): number | null {
  const { ended, most } = progressOf(experiment);
  const byTrials = most !== null && ended > 0 ? ((most - ended) * experiment.runDuration) / ended : null;
  const byTime = longest !== null ? Math.max(0, longest - experiment.runDuration) : null;
  if (byTrials === null || byTime === null) return byTrials ?? byTime;
  return Math.min(byTrials, byTime);
}
