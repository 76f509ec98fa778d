import { CustomChart } from "echarts/charts";
import { DataZoomComponent } from "echarts/components";
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { analysis } from "../../api/analysis";
import type { Batch } from "../../api/experiment_live";
import { useLoad } from "../../api/use_load";
import { go, to } from "../../app/router";
import { xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { statusColour } from "../../charts/status_colours";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { plural, words } from "../../format/text";
import { duration, time } from "../../format/time";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { useClock } from "../../parts/use_clock";
import { useBatches, useExperiment } from "../experiment/context";
import { busyShare, laneTitles, withAttempts, type Lanes } from "./timeline_lanes";

use([CustomChart, DataZoomComponent]);

const most = 5_000;

/** Who ran when and where, and where time went. */
export default function TimelinePage(): ReactNode {
  const { experiment } = useExperiment();
  const loaded = useLoad((signal) => analysis.timeline(experiment.id, { points: most }, signal), [experiment.id]);
  const [timeline, setTimeline] = useState<Lanes>();
  const { data, reload } = loaded;
  useEffect(() => setTimeline(data), [data]);
  const take = useCallback(
    ({ trials, wasReset }: Batch) => {
      if (wasReset) reload();
      setTimeline((before) => before && withAttempts(before, trials));
    },
    [reload],
  );
  useBatches(take);
  return (
    <WhenLoaded loaded={loaded}>
      {() =>
        timeline && timeline.items.length > 0 ? (
          <Drawn timeline={timeline} />
        ) : (
          <EmptyState title="No trial has started yet" />
        )
      }
    </WhenLoaded>
  );
}

function Drawn({ timeline }: { timeline: Lanes }): ReactNode {
  const { experiment } = useExperiment();
  const { items, lanes, sampled } = timeline;
  const isRunning = items.some(({ end }) => end === undefined);
  const now = useClock(isRunning, 2_000);
  const option = useMemo(() => (palette: Palette) => timelineOption(palette, timeline, now), [timeline, now]);
  const share = busyShare(timeline, now);
  const busy = share === null ? "" : `The places were busy ${(100 * share).toFixed(0)} % of the time. `;
  return (
    <Chart
      title="Timeline"
      summary={`${plural(items.length, "attempt")} in ${plural(lanes.length, "place")}.`}
      note={`${busy}${sampled ? "Not every attempt is drawn. " : ""}Scroll to zoom, drag to move.`}
      height={`${Math.max(12, 6 + 1.7 * lanes.length)}rem`}
      shape={String(lanes.length)}
      option={option}
      csv={() => [
        ["host", "slot", "sequence", "id", "attempt", "status", "start", "end"],
        ...items.map(({ lane, sequence, id, attempt, status, start, end }) => {
          const { host, slot } = lanes[lane] ?? {};
          return [host, slot, sequence, id, attempt, status, start, end];
        }),
      ]}
      onPick={({ dataIndex }) => {
        const picked = items[dataIndex ?? -1];
        if (picked) go(to(["experiments", experiment.id, "trials", picked.id]));
      }}
    />
  );
}

function timelineOption(palette: Palette, { items, lanes }: Lanes, now: number): EChartsOption {
  const names = laneTitles(lanes);
  return {
    grid: { left: 130, right: 24, top: 8, bottom: 46 },
    xAxis: xAxis(palette, { name: "Time", type: "time" }),
    yAxis: {
      ...yAxis(palette, { name: "", type: "category", categories: names, isInverse: true }),
      splitLine: { show: true, lineStyle: { color: palette.line } },
    },
    dataZoom: [{ type: "inside", filterMode: "weakFilter" }],
    tooltip: itemTooltip(palette, ({ dataIndex }) => {
      const item = items[dataIndex];
      if (!item) return "";
      return tooltipContent(`Trial ${item.sequence}${item.attempt > 0 ? `, attempt ${item.attempt + 1}` : ""}`, [
        ["where", names[item.lane] ?? ""],
        ["status", words(item.status)],
        ["from", time(item.start)],
        ["to", item.end === undefined ? "now" : time(item.end)],
        ["duration", duration(((item.end ?? now) - item.start) / 1000)],
      ]);
    }),
    series: [
      {
        type: "custom",
        encode: { x: [1, 2], y: 0 },
        data: items.map(({ lane, start, end, status }) => ({
          value: [lane, start, end ?? now],
          itemStyle: { color: statusColour(palette, status) },
        })),
        renderItem: (_: unknown, api: never) => bar(api, palette.card),
      } as never,
    ],
  };
}

interface CustomApi {
  value(dimension: number): number;
  coord(point: [number, number]): [number, number];
  size(point: [number, number]): [number, number];
  visual(name: string): string;
}

/** One attempt: as long as it took, at least two pixels. */
function bar(api: CustomApi, edge: string): object {
  const [left, middle] = api.coord([api.value(1), api.value(0)]);
  const [right] = api.coord([api.value(2), api.value(0)]);
  const height = 0.72 * api.size([0, 1])[1];
  return {
    type: "rect",
    shape: { x: left, y: middle - height / 2, width: Math.max(2, right - left), height },
    style: { fill: api.visual("color"), stroke: edge, lineWidth: right - left > 6 ? 1 : 0 },
  };
}
