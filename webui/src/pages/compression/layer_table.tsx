import { useMemo, type ReactNode } from "react";
import type { LayerReport } from "../../api/report";
import { count, percent, short } from "../../format/number";
import { Text } from "../../parts/text";
import { layerRows, shapeText, type LayerRow } from "./layer_shares";

/** A share as a bar behind its number. */
function Share({ value, text }: { value: number | null; text: string }): ReactNode {
  if (value === null) return <td className="number soft">–</td>;
  return (
    <td className="number share">
      <span className="share-bar" style={{ width: `${100 * Math.max(0, Math.min(1, value))}%` }} />
      <span className="share-text">{text}</span>
    </td>
  );
}

export function LayerTable({ layers }: { layers: readonly LayerReport[] }): ReactNode {
  const rows = useMemo(() => layerRows(layers), [layers]);
  const hasBits = layers.some(({ bits }) => bits !== undefined);
  const hasLatency = rows.some(({ latencyShare }) => latencyShare !== null);
  if (rows.length === 0) return <p className="soft">The report names no layers.</p>;
  return (
    <div className="scroll layer-table" tabIndex={0} role="region" aria-label="Layers">
      <table className="plain">
        <thead>
          <tr>
            {["Layer", "Type", "Weight before", "After"].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
            {[
              "Channels kept",
              "Sparsity",
              ...(hasBits ? ["Bits"] : []),
              "MACs before",
              "After",
              "Share of MACs",
              ...(hasLatency ? ["Share of time"] : []),
            ].map((title, index) => (
              <th key={`${title} ${index}`} scope="col" className="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.layer.name} row={row} hasBits={hasBits} hasLatency={hasLatency} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row, hasBits, hasLatency }: { row: LayerRow; hasBits: boolean; hasLatency: boolean }): ReactNode {
  const { layer, before, after, macShare, latencyShare } = row;
  const kept = before !== null && after !== null && before > 0 ? after / before : null;
  return (
    <tr>
      <th scope="row" className="mono">
        <Text>{layer.name}</Text>
      </th>
      <td>
        <Text>{layer.type}</Text>
      </td>
      <td className="nowrap">{shapeText(layer.shape_before)}</td>
      <td className="nowrap">{shapeText(layer.shape_after)}</td>
      <Share value={kept} text={`${count(after)} of ${count(before)}`} />
      <Share value={layer.sparsity ?? null} text={percent(layer.sparsity, 1)} />
      {hasBits && <td className="number">{layer.bits ?? "–"}</td>}
      <td className="number">{short(layer.macs_before)}</td>
      <td className="number">{short(layer.macs_after)}</td>
      <Share value={macShare} text={percent(macShare, 1)} />
      {hasLatency && <Share value={latencyShare} text={percent(latencyShare, 1)} />}
    </tr>
  );
}
