import { objectiveOf, platformsOf, progressOf } from "../../api/objective";
import { atPath } from "../../api/trial_columns";
import type { Experiment } from "../../api/types";

export interface ExperimentFilter {
  readonly search: string;
  readonly status: string;
  readonly platform: string;
}

const tunerOf = (experiment: Experiment): string => String(atPath(experiment.config, "tuner.name") ?? "");

/** Every word of the search is somewhere in name, id, tuner or objective. */
export function filterExperiments(items: readonly Experiment[], filter: ExperimentFilter): Experiment[] {
  const wanted = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((experiment) => {
    if (filter.status && experiment.status !== filter.status) return false;
    if (filter.platform && !platformsOf(experiment).includes(filter.platform)) return false;
    if (wanted.length === 0) return true;
    const text = [experiment.name ?? "", experiment.id, tunerOf(experiment), objectiveOf(experiment).name]
      .join(" ")
      .toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

const values: Readonly<Record<string, (experiment: Experiment) => string | number | undefined>> = {
  name: ({ name, id }) => (name || id).toLowerCase(),
  status: ({ status }) => status,
  best: ({ best }) => best?.metric,
  progress: (experiment) => progressOf(experiment).ended,
  created: ({ createdTime }) => createdTime,
  duration: ({ runDuration }) => runDuration,
};

/** By one column, `-` before its name turns around; those without a value come last either way, ties newest first. */
export function sortExperiments(items: readonly Experiment[], sort: string): Experiment[] {
  const isDown = sort.startsWith("-");
  const read = values[isDown ? sort.slice(1) : sort] ?? values["created"];
  const compare = (a: Experiment, b: Experiment): number => {
    const [x, y] = [read?.(a), read?.(b)];
    if (x === y) return b.createdTime - a.createdTime;
    if (x === undefined || y === undefined) return x === undefined ? 1 : -1;
    return (x < y ? -1 : 1) * (isDown ? -1 : 1);
  };
  return [...items].sort(compare);
}
