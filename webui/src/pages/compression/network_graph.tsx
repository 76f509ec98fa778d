import { useMemo, type ReactNode } from "react";
import type { Report } from "../../api/report";
import { count } from "../../format/number";
import { shorten, visible } from "../../format/text";
import { layoutOf, type PlacedNode } from "./graph_layout";

const levelHeight = 46;
const nodeHeight = 24;
const columnWidth = 360;
const widest = 180;
const margin = 10;

/** The network from its input down. A box is as wide as its layer has channels: its outline before, its filling after. */
export function NetworkGraph({ report }: { report: Report }): ReactNode {
  const layout = useMemo(() => layoutOf(report), [report]);
  const columns = Math.max(1, ...layout.nodes.map(({ levelSize }) => levelSize));
  const most = Math.max(1, ...layout.nodes.map(({ before, after }) => Math.max(before, after)));
  const width = columns * columnWidth + 2 * margin;
  const height = layout.levels * levelHeight + 2 * margin;
  const x = ({ place, levelSize }: PlacedNode): number => width / 2 + (place - (levelSize - 1) / 2) * columnWidth;
  const y = ({ level }: PlacedNode): number => margin + level * levelHeight;
  if (layout.nodes.length === 0) return <p className="soft">The report has no graph.</p>;
  return (
    <>
      {!report.graph && <p className="soft">This report has no graph; its layers are drawn in their order.</p>}
      <div className="network" tabIndex={0} role="region" aria-label="Network graph">
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={`${layout.nodes.length} nodes of the network, original and kept channels`}
        >
          {layout.edges.map(([from, to], index) => (
            <path key={index} className="edge" d={edgePath(x(from), y(from) + nodeHeight, x(to), y(to))} />
          ))}
          {layout.nodes.map((node, index) => (
            <Node key={index} node={node} x={x(node)} y={y(node)} scale={widest / most} />
          ))}
        </svg>
      </div>
    </>
  );
}

/** An edge that passes other levels, such as a skip connection, goes around them on the left. */
function edgePath(fromX: number, fromY: number, toX: number, toY: number): string {
  const isLong = toY - fromY > levelHeight;
  const bend = isLong && Math.abs(fromX - toX) < 1 ? widest * 0.75 : 0;
  const reach = isLong ? levelHeight : levelHeight / 2;
  return `M ${fromX} ${fromY} C ${fromX - bend} ${fromY + reach}, ${toX - bend} ${toY - reach}, ${toX} ${toY}`;
}

/** The label stands beside the box, which may be too narrow for it. */
function Node({ node, x, y, scale }: { node: PlacedNode; x: number; y: number; scale: number }): ReactNode {
  const { name, type, before, after } = node;
  const label = shorten(visible(name), 28);
  const widths = [before, after].map((channels) => Math.max(3, channels * scale)) as [number, number];
  const numbers = before === 0 ? "" : before === after ? ` ${count(before)}` : ` ${count(before)} → ${count(after)}`;
  return (
    <g>
      <title>{`${visible(name)} (${visible(type)})${numbers}`}</title>
      <rect className="node-after" x={x - widths[1] / 2} y={y} width={widths[1]} height={nodeHeight} rx={3} />
      <rect className="node-before" x={x - widths[0] / 2} y={y} width={widths[0]} height={nodeHeight} rx={3} />
      <text x={x + Math.max(...widths) / 2 + 6} y={y + nodeHeight / 2 + 4}>
        {label}
        <tspan className="node-numbers">{numbers}</tspan>
      </text>
    </g>
  );
}
