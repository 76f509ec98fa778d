// Places a network's nodes: each below all that it reads, those of one level side by side.
import type { GraphNode, Report } from "../../api/report";

export interface PlacedNode {
  readonly name: string;
  readonly type: string;
  /** Channels of what it returns; 0 where it returns no tensor of its own. */
  readonly before: number;
  readonly after: number;
  readonly level: number;
  /** From the left among the nodes of its level. */
  readonly place: number;
  readonly levelSize: number;
}

export interface Layout {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly (readonly [from: PlacedNode, to: PlacedNode])[];
  readonly levels: number;
}

type Edge = readonly [from: number, to: number];

/** The longest path to each node. Nodes come in the order of their run, so that an edge leads to a later one; others are left out. */
function levelsOf(count: number, edges: readonly Edge[]): number[] {
  const sources: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of edges) if (from < to) sources[to]?.push(from);
  const levels: number[] = [];
  for (const own of sources)
    levels.push(own.reduce((deepest, source) => Math.max(deepest, (levels[source] ?? 0) + 1), 0));
  return levels;
}

/** Channels are the axis behind the batch; a linear layer over a sequence has its features last. */
function channels(type: string, shape: readonly number[] | undefined): number {
  if (!shape || shape.length < 2) return 0;
  return (type === "Linear" ? shape.at(-1) : shape[1]) ?? 0;
}

/** The network that a report describes; a report without a graph has its layers one after the other. */
function networkOf({ graph, layers = [] }: Report): { nodes: readonly GraphNode[]; edges: readonly Edge[] } {
  if (graph) return graph;
  // A weight has its output channels first; a batch axis stands before them in what a node returns.
  const output = (shape: readonly number[] | undefined): number[] => (shape?.[0] === undefined ? [] : [1, shape[0]]);
  const nodes = layers.map(({ name, type, shape_before, shape_after }) => ({
    layer: name,
    type,
    shape_before: output(shape_before),
    shape_after: output(shape_after),
  }));
  return { nodes, edges: nodes.slice(1).map((_, index) => [index, index + 1] as const) };
}

export function layoutOf(report: Report): Layout {
  const { nodes, edges } = networkOf(report);
  const levels = levelsOf(nodes.length, edges);
  const sizes: number[] = [];
  const places = levels.map((level) => (sizes[level] = (sizes[level] ?? 0) + 1) - 1);
  const placed = nodes.map(({ layer, type, shape_before, shape_after }, index): PlacedNode => {
    const level = levels[index] ?? 0;
    const before = channels(type, shape_before);
    return {
      name: layer || type,
      type,
      before,
      after: shape_after ? channels(type, shape_after) : before,
      level,
      place: places[index] ?? 0,
      levelSize: sizes[level] ?? 1,
    };
  });
  const drawn = edges.flatMap(([from, to]) => {
    const [source, target] = [placed[from], placed[to]];
    return source && target && from < to ? [[source, target] as const] : [];
  });
  return { nodes: placed, edges: drawn, levels: sizes.length };
}
