import { useState, type ReactNode } from "react";
import type { Trial } from "../../api/types";
import { Card } from "../../parts/card";
import { Choice } from "../../parts/choice";
import { CopyButton } from "../../parts/copy";
import { SaveLink } from "../../parts/save_link";
import { useExperiment } from "../experiment/context";
import { filePath, productsOf } from "../trial/downloads";

const defaultOrigin = "http://127.0.0.1:8080";

/** The line that fetches a file of a trial on a command line. */
export function shipLine(trial: Trial, file: string, origin: string): string {
  const url = [defaultOrigin, "http://localhost:8080"].includes(origin) ? "" : ` --url ${origin}`;
  const choice = file === "compressed.pt" ? "" : ` --file ${file}`;
  return `lathectl${url} trial download ${trial.experimentId} ${trial.id}${choice}`;
}

/** The way of a model out of the experiment: its file, or the line that fetches it. */
export function ShipIt({ trial }: { trial: Trial }): ReactNode {
  const { experiment } = useExperiment();
  const products = productsOf(experiment, trial);
  const [file, setFile] = useState("compressed.pt");
  const line = shipLine(trial, file, location.origin);
  return (
    <Card title="Ship this one">
      <div className="row">
        <Choice label="File" value={file} items={products.map(({ name }) => [name, name] as const)} set={setFile} />
        <SaveLink path={filePath(trial, file)} name={`${trial.id}-${file}`}>
          Download
        </SaveLink>
      </div>
      <p className="soft">{products.find(({ name }) => name === file)?.what}</p>
      <pre className="block" tabIndex={0} aria-label="Command line">
        {line}
      </pre>
      <p>
        <CopyButton text={line} label="Copy the line" />
      </p>
    </Card>
  );
}
