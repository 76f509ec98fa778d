import type { ReactNode } from "react";
import type { Column as TrialColumn } from "../../api/analysis";
import { columnTitle, columnValue } from "../../api/trial_columns";
import { hasEnded, type Experiment, type Trial } from "../../api/types";
import { isCompression } from "../../api/objective";
import { saveFile } from "../../api/session";
import { go, to } from "../../app/router";
import { measureOf, showCell } from "../../format/measures";
import { number } from "../../format/number";
import { words } from "../../format/text";
import { duration } from "../../format/time";
import { Menu, type MenuItem } from "../../parts/menu";
import { Status } from "../../parts/status";
import { Text } from "../../parts/text";
import { attempt } from "../../parts/toast";
import { filePath } from "../trial/downloads";
import { Time } from "../../parts/time";
import type { Column } from "../../parts/virtual_table";

export interface TrialActions {
  /** Whether trials leave models. */
  hasModels: boolean;
  copy: (trial: Trial) => void;
  kill: (trial: Trial) => void;
}

const always = ["sequence", "status", "metric", "duration"];
const mostByDefault = 7;

/** NNI's columns, then the choices and the first parameters, and of a compression experiment what it is about. */
export function defaultColumns(experiment: Experiment, known: readonly TrialColumn[]): string[] {
  const names = known.map(({ name }) => name);
  const wanted = isCompression(experiment)
    ? ["metric.accuracy", "metric.parameters", "metric.macs", "metric.size_bytes", "metric.speedup"]
    : [];
  const parameters = names.filter((name) => name.startsWith("parameter."));
  const choices = parameters.filter((name) => name.endsWith("._name"));
  const others = parameters.filter((name) => !name.endsWith("._name"));
  return [
    ...always,
    ...wanted.filter((name) => names.includes(name)),
    ...[...choices, ...others].slice(0, mostByDefault),
    "reason",
  ];
}

const titles: Readonly<Record<string, string>> = {
  sequence: "Trial",
  intermediateCount: "Intermediates",
  submitTime: "Submitted",
  startTime: "Started",
  endTime: "Ended",
};

/** How a column is headed: known words for known columns, the name itself for parameters and metrics. */
export function tableTitle(column: string, objective = ""): string {
  if (column === "metric") return objective === "metric" || !objective ? "Metric" : `Metric (${objective})`;
  if (column.startsWith("metric.")) return measureOf(columnTitle(column))?.title ?? columnTitle(column);
  if (column.startsWith("parameter.")) return columnTitle(column).replace(/\._name$/, "");
  return titles[column] ?? words(column);
}

const widths: Readonly<Record<string, number>> = {
  sequence: 4.5,
  id: 5,
  status: 9.5,
  duration: 7.5,
  reason: 16,
  host: 9,
};

function width(column: string, title: string): number {
  if (column in widths) return widths[column] ?? 8;
  if (column.endsWith("Time")) return 12;
  return Math.max(6.5, Math.min(18, 0.52 * title.length + 2.2));
}

/**
 * Titles for columns that stand together: of a nested parameter the end of its path, as long as no other column ends
 * the same.
 */
export function shortTitles(names: readonly string[], objective: string): readonly string[] {
  const titles = names.map((name) => tableTitle(name, objective));
  const suffix = (title: string, parts: number): string => title.split(".").slice(-parts).join(".");
  return titles.map((title, place) => {
    if (!names[place]?.startsWith("parameter.")) return title;
    const depth = title.split(".").length;
    for (let parts = 1; parts < depth; parts++) {
      const candidate = suffix(title, parts);
      if (titles.filter((other) => suffix(other, parts) === candidate).length === 1) return candidate;
    }
    return title;
  });
}

function show(trial: Trial, column: string, experimentId: string, objective: string): ReactNode {
  switch (column) {
    case "sequence":
      return (
        <a
          href={to(["experiments", experimentId, "trials", trial.id])}
          tabIndex={-1}
          onClick={(event) => event.stopPropagation()}
        >
          {trial.sequence}
        </a>
      );
    case "status":
      return <Status status={trial.status} />;
    case "metric":
      return (measureOf(objective)?.show ?? number)(trial.metric);
    case "duration":
      return duration(trial.duration);
    case "submitTime":
    case "startTime":
    case "endTime":
      return <Time at={trial[column]} />;
    case "reason":
      return <Text length={200}>{trial.reason ?? trial.waitReason ?? ""}</Text>;
    default:
      return <Text length={120}>{showCell(column, columnValue(trial, column))}</Text>;
  }
}

const isText = (column: string): boolean =>
  ["id", "status", "source", "host", "reason"].includes(column) || column.endsWith("Time") || column.endsWith("._name");

export function trialTableColumns(
  names: readonly string[],
  experimentId: string,
  objective: string,
  actions: TrialActions,
): readonly Column<Trial>[] {
  const titles = shortTitles(names, objective);
  const columns = names.map((name, place): Column<Trial> => ({
    key: name,
    title: titles[place] ?? name,
    hint: tableTitle(name, objective),
    width: width(name, titles[place] ?? name),
    doesGrow: name === "reason",
    isNumber: !isText(name),
    isSortable: name !== "reason",
    cell: (trial) => show(trial, name, experimentId, objective),
  }));
  return [
    ...columns,
    { key: "actions", title: "Actions", width: 5, cell: (trial) => <TrialMenu trial={trial} {...actions} /> },
  ];
}

function TrialMenu({ trial, hasModels, copy, kill }: { trial: Trial } & TrialActions): ReactNode {
  return (
    <span onClick={(event) => event.stopPropagation()}>
      <Menu
        label={`Actions of trial ${trial.sequence}`}
        symbol="⋯"
        items={[
          { title: "Open", run: () => go(to(["experiments", trial.experimentId, "trials", trial.id])) },
          ...(hasModels && trial.status === "SUCCEEDED" ? modelItems(trial) : []),
          { title: "Copy as customised trial…", run: () => copy(trial) },
          { title: "Kill", run: () => kill(trial), isDisabled: hasEnded(trial.status), isDangerous: true },
        ]}
      />
    </span>
  );
}

const modelItems = (trial: Trial): MenuItem[] => [
  {
    title: "Model card",
    run: () => go(to(["experiments", trial.experimentId, "compression", "model"], { trial: trial.id })),
  },
  ...["compressed.pt", "compressed.onnx", "mask.pth"].map((name) => ({
    title: `Download ${name}`,
    run: () => void attempt(() => saveFile(filePath(trial, name), `${trial.id}-${name}`)),
  })),
];
