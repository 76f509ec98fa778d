import type { ReactNode } from "react";
import { objectiveOf, platformsOf, progressOf } from "../../api/objective";
import type { Experiment } from "../../api/types";
import { to } from "../../app/router";
import { measureOf } from "../../format/measures";
import { number } from "../../format/number";
import { duration } from "../../format/time";
import { Status } from "../../parts/status";
import { Text } from "../../parts/text";
import { Time } from "../../parts/time";
import type { Column } from "../../parts/virtual_table";
import { ExperimentMenu } from "../experiment/experiment_menu";

function Progress({ experiment }: { experiment: Experiment }): ReactNode {
  const { ended, running, most } = progressOf(experiment);
  return (
    <span className="progress-cell" title={`${ended} ended, ${running} running`}>
      {most !== null && <progress max={most} value={ended} aria-label={`${ended} of ${most} trials have ended`} />}
      <span>
        {ended}
        {most !== null && ` / ${most}`}
      </span>
    </span>
  );
}

export const experimentColumns: readonly Column<Experiment>[] = [
  {
    key: "name",
    title: "Name",
    width: 14,
    doesGrow: true,
    isSortable: true,
    cell: (experiment) => (
      <a href={to(["experiments", experiment.id])} tabIndex={-1}>
        <Text>{experiment.name || experiment.id}</Text>
      </a>
    ),
  },
  { key: "id", title: "Id", width: 6.5, cell: ({ id }) => <span className="mono soft">{id}</span> },
  { key: "status", title: "Status", width: 9.5, isSortable: true, cell: ({ status }) => <Status status={status} /> },
  {
    key: "progress",
    title: "Trials",
    width: 11,
    isSortable: true,
    cell: (experiment) => <Progress experiment={experiment} />,
  },
  {
    key: "best",
    title: "Best",
    width: 7,
    isNumber: true,
    isSortable: true,
    cell: (experiment) => (measureOf(objectiveOf(experiment).name)?.show ?? number)(experiment.best?.metric),
  },
  {
    key: "objective",
    title: "Objective",
    width: 8,
    cell: (experiment) => <Text>{objectiveOf(experiment).name}</Text>,
  },
  {
    key: "created",
    title: "Started",
    width: 12,
    isSortable: true,
    cell: ({ startTime, createdTime }) => <Time at={startTime ?? createdTime} />,
  },
  {
    key: "duration",
    title: "Run time",
    width: 7.5,
    isNumber: true,
    isSortable: true,
    cell: ({ runDuration }) => duration(runDuration),
  },
  {
    key: "platform",
    title: "Platform",
    width: 7,
    cell: (experiment) => <Text>{platformsOf(experiment).join(", ")}</Text>,
  },
  {
    key: "actions",
    title: "Actions",
    width: 5,
    cell: (experiment) => <ExperimentMenu experiment={experiment} isCompact />,
  },
];
