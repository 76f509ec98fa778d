import { LineChart, ScatterChart } from "echarts/charts";
import { LegendComponent, MarkAreaComponent, VisualMapComponent } from "echarts/components";
import { useMemo, type ReactNode } from "react";
import { Chart } from "../../charts/chart";
import { use } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { plural } from "../../format/text";
import { frontOption } from "./front_option";
import type { Constraint, Objective } from "./objectives";
import type { FrontData, Point } from "./pareto";

use([LineChart, ScatterChart, LegendComponent, MarkAreaComponent, VisualMapComponent]);

interface Props {
  data: FrontData;
  objectives: readonly Objective[];
  constraint: Constraint | null;
  chosen: string;
  choose: (trial: string) => void;
}

export function FrontChart({ data, objectives, constraint, chosen, choose }: Props): ReactNode {
  const key = objectives.map(({ column }) => column).join(" ");
  const least = constraint?.least;
  const option = useMemo(
    () => (palette: Palette) => frontOption(palette, data, objectives, constraint, chosen),
    [data, key, least, chosen],
  );
  const titles = objectives.map(({ measure }) => measure.title);
  const row = (kind: string, { id, sequence, values }: Point): (string | number)[] => [kind, sequence, id, ...values];
  return (
    <Chart
      title={`${titles[1]} against ${titles[0]?.toLowerCase()}`}
      summary={`${plural(data.front.length, "model")} on the Pareto front of ${titles.join(", ")}, ${plural(data.others.length, "other")} behind it.`}
      height="27rem"
      shape={`${key} ${constraint ? "limited" : ""}`}
      option={option}
      csv={() => [
        ["kind", "sequence", "id", ...objectives.map(({ column }) => column)],
        ...(data.baseline ? [["original", null, null, ...data.baseline]] : []),
        ...data.front.map((point) => row("front", point)),
        ...data.others.map((point) => row("other", point)),
      ]}
      onPick={({ data: picked }) => {
        const id = Array.isArray(picked) ? (picked as unknown[]).at(-1) : undefined;
        if (typeof id === "string" && id) choose(id);
      }}
    />
  );
}
