// Places a network's nodes: each below all that it reads, those of one level side by side.
import type { GraphNode, Report } from "../../api/report";

export interface PlacedNode {
  readonly id: string;
  readonly name: string;
  readonly type: string;
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

/** Longest paths from the inputs. A cycle, which no network has, ends where it began. */
function levelsOf(ids: readonly string[], edges: readonly (readonly [string, string])[]): Map<string, number> {
  const sources = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const [from, to] of edges) sources.get(to)?.push(from);
  const levels = new Map<string, number>();
  const visiting = new Set<string>();
  const stack: string[] = [];
  for (const start of ids) {
    stack.push(start);
    while (stack.length > 0) {
      const id = stack.at(-1) as string;
      const open = visiting.has(id)
        ? []
        : (sources.get(id) ?? []).filter(
            (source) => !levels.has(source) && sources.has(source) && !visiting.has(source),
          );
      visiting.add(id);
      if (!levels.has(id) && open.length > 0) {
        stack.push(...open);
        continue;
      }
      stack.pop();
      const known = (sources.get(id) ?? []).map((source) => levels.get(source) ?? -1);
      levels.set(id, Math.max(-1, ...known) + 1);
    }
  }
  return levels;
}

/** The network that a report describes; a report without a graph has its layers one after the other. */
export function networkOf({ graph, layers = [] }: Report): {
  nodes: GraphNode[];
  edges: (readonly [string, string])[];
} {
  if (graph) {
    return { nodes: [...graph.nodes], edges: graph.edges.map(([from, to]) => [String(from), String(to)] as const) };
  }
  const nodes = layers.map(({ name, type, shape_before, shape_after }): GraphNode => ({
    id: name,
    name,
    type,
    before: { channels: shape_before?.[0] ?? 0 },
    after: { channels: shape_after?.[0] ?? 0 },
  }));
  return { nodes, edges: nodes.slice(1).map(({ id }, index) => [String(nodes[index]?.id), String(id)] as const) };
}

export function layoutOf(report: Report): Layout {
  const { nodes, edges } = networkOf(report);
  const levels = levelsOf(
    nodes.map(({ id }) => String(id)),
    edges,
  );
  const sizes = new Map<number, number>();
  const draft = nodes.map((node) => {
    const level = levels.get(String(node.id)) ?? 0;
    const place = sizes.get(level) ?? 0;
    sizes.set(level, place + 1);
    return { node, level, place };
  });
  const placed = draft.map(({ node, level, place }): PlacedNode => ({
    id: String(node.id),
    name: node.name ?? String(node.id),
    type: node.type,
    before: node.before?.channels ?? 0,
    after: node.after?.channels ?? node.before?.channels ?? 0,
    level,
    place,
    levelSize: sizes.get(level) ?? 1,
  }));
  const byId = new Map(placed.map((node) => [node.id, node]));
  const drawn = edges.flatMap(([from, to]) => {
    const [source, target] = [byId.get(from), byId.get(to)];
    return source && target ? [[source, target] as const] : [];
  });
  return { nodes: placed, edges: drawn, levels: Math.max(0, ...placed.map(({ level }) => level + 1)) };
}
