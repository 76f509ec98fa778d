import type { ReactNode } from "react";
import { isCompression } from "../../api/objective";
import { atPath } from "../../api/trial_columns";
import type { Experiment, Trial } from "../../api/types";
import { Card } from "../../parts/card";
import { SaveLink } from "../../parts/save_link";
import { useExperiment } from "../experiment/context";

export interface Product {
  readonly name: string;
  readonly what: string;
}

/** The files that a trial of the built-in program can have left; some depend on the model, so that one may be missing. */
export function productsOf(experiment: Experiment, trial: Trial): readonly Product[] {
  const has = (key: string): boolean => atPath(trial.finalMetric, key) !== undefined;
  const isQuantized = has("int8_accuracy") || has("int8_loss");
  const exports = (name: string): boolean => atPath(experiment.config, `compression.export.${name}`) !== false;
  return [
    { name: "compressed.pt", what: "TorchScript model, really smaller" },
    ...(exports("onnx") ? [{ name: "compressed.onnx", what: "the same for ONNX runtimes" }] : []),
    ...(isQuantized ? [{ name: "int8.pt", what: "TorchScript model that computes in 8-bit integers" }] : []),
    ...(exports("stateDict") ? [{ name: "model.pth", what: "weights of the unchanged architecture" }] : []),
    ...(exports("stateDict") && !isQuantized ? [{ name: "mask.pth", what: "masks of the pruner" }] : []),
    ...(isQuantized ? [{ name: "calibration.json", what: "scales of the quantizer" }] : []),
    { name: "report.json", what: "everything that was measured" },
  ];
}

export const filePath = (trial: Trial, name: string): string =>
  `/api/v1/experiments/${encodeURIComponent(trial.experimentId)}/trials/${encodeURIComponent(trial.id)}/files/${name}`;

export function Downloads({ trial }: { trial: Trial }): ReactNode {
  const { experiment } = useExperiment();
  if (!isCompression(experiment) || trial.status !== "SUCCEEDED") return null;
  return (
    <Card title="Files">
      <table className="plain">
        <tbody>
          {productsOf(experiment, trial).map(({ name, what }) => (
            <tr key={name}>
              <td className="mono">
                <SaveLink path={filePath(trial, name)} name={`${trial.id}-${name}`}>
                  {name}
                </SaveLink>
              </td>
              <td className="soft">{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
