import { CustomChart } from "echarts/charts";
import { DataZoomComponent } from "echarts/components";
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { analysis, type Timeline } from "../../api/analysis";
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
import { slotsOf, withAttempts } from "./timeline_slots";

use([CustomChart, DataZoomComponent]);

const most = 5_000;

/** Who ran when and where, and where time went. */
export default function TimelinePage(): ReactNode {
  const { experiment } = useExperiment();
  const loaded = useLoad((signal) => analysis.timeline(experiment.id, { points: most }, signal), [experiment.id]);
  const [timeline, setTimeline] = useState<Timeline>();
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

function Drawn({ timeline }: { timeline: Timeline }): ReactNode {
  const { experiment } = useExperiment();
  const { items, lanes, sampled } = timeline;
  const isRunning = items.some(({ end }) => end === undefined);
  const now = useClock(isRunning, 2_000);
  const slots = useMemo(
    () =>
      slotsOf(
        items,
        lanes.map(({ host }) => host),
        now,
      ),
    [items, lanes, now],
  );
  const option = useMemo(
    () => (palette: Palette) => timelineOption(palette, timeline, slots, now),
    [timeline, slots, now],
  );
  const busy = items.reduce((sum, { start, end }) => sum + ((end ?? now) - start), 0);
  const from = Math.min(...items.map(({ start }) => start));
  const until = Math.max(...items.map(({ end }) => end ?? now));
  const share = (100 * busy) / Math.max(1, (until - from) * slots.slots.length);
  return (
    <Chart
      title="Timeline"
      summary={`${plural(items.length, "attempt")} in ${plural(slots.slots.length, "slot")}.`}
      note={`The slots were busy ${share.toFixed(0)} % of the time.${sampled ? " Not every attempt is drawn." : ""} Scroll to zoom, drag to move.`}
      height={`${Math.max(12, 6 + 1.7 * slots.slots.length)}rem`}
      shape={String(slots.slots.length)}
      option={option}
      csv={() => [
        ["host", "slot", "sequence", "id", "attempt", "status", "start", "end"],
        ...items.map((item, index) => {
          const slot = slots.slots[slots.places[index] ?? 0];
          return [slot?.host, slot?.number, item.sequence, item.id, item.attempt, item.status, item.start, item.end];
        }),
      ]}
      onPick={({ dataIndex }) => {
        const picked = items[dataIndex ?? -1];
        if (picked) go(to(["experiments", experiment.id, "trials", picked.id]));
      }}
    />
  );
}

function timelineOption(
  palette: Palette,
  { items }: Timeline,
  { slots, places }: ReturnType<typeof slotsOf>,
  now: number,
): EChartsOption {
  const names = slots.map(({ host, number }) => `${host} · ${number}`);
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
        data: items.map(({ start, end, status }, index) => ({
          value: [places[index] ?? 0, start, end ?? now],
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
    style: { fill: api.visual("color"), stroke: edge, lineWidth: 1 },
  };
}
