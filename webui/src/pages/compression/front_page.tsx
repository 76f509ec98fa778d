import { useMemo, type ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { useQueryValue } from "../../app/router";
import { Choice } from "../../parts/choice";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { useExperiment } from "../experiment/context";
import { WithColumns } from "../charts/with_columns";
import { FrontChart } from "./front_chart";
import { FrontTable } from "./front_table";
import ModelCard from "./model_card";
import { constraintOf, constraintText, knownObjectives, type Objective } from "./objectives";
import { useFront } from "./use_front";

/** The models that no other beats in what was chosen, and the card of the one that is picked. */
export default function FrontPage(): ReactNode {
  return <WithColumns>{(columns) => <Front known={columns} />}</WithColumns>;
}

function Front({ known }: { known: readonly Column[] }): ReactNode {
  const available = useMemo(() => knownObjectives(known), [known]);
  const [across, up] = defaults(available);
  const [x, setX] = useQueryValue("x", across);
  const [y, setY] = useQueryValue("y", up);
  const [colour, setColour] = useQueryValue("colour");
  const chosen = [x, y, colour].flatMap((name) => available.find(({ measure }) => measure.key === name) ?? []);
  if (chosen.length < 2) {
    return (
      <EmptyState title="No front to show">
        A front needs two measures that trials have reported, such as accuracy and size.
      </EmptyState>
    );
  }
  const items = available.map(({ measure }) => [measure.key, measure.title] as const);
  return (
    <>
      <div className="row filters">
        <Choice label="Across" value={x} items={items} set={setX} />
        <Choice label="Up" value={y} items={items} set={setY} />
        <Choice label="Third" value={colour} items={[["", "none"], ...items]} set={setColour} />
      </div>
      <Shown objectives={chosen} />
    </>
  );
}

/** Something that shrinks across, and how well the model still does up. */
function defaults(available: readonly Objective[]): [string, string] {
  const keys = available.map(({ measure }) => measure.key);
  const pick = (wanted: readonly string[]): string => wanted.find((key) => keys.includes(key)) ?? "";
  return [pick(["size_bytes", "parameters", "macs", "latency_ms"]), pick(["accuracy", "loss"])];
}

function Shown({ objectives }: { objectives: readonly Objective[] }): ReactNode {
  const { experiment } = useExperiment();
  const [picked, setTrial] = useQueryValue("trial");
  const trial = picked || (experiment.best?.trialId ?? "");
  const constraint = constraintOf(experiment);
  const loaded = useFront(objectives, constraint);
  return (
    <div className="stack">
      <WhenLoaded loaded={loaded}>
        {(data) => (
          <div className="grid">
            <div className="most">
              <FrontChart
                data={data}
                objectives={objectives}
                constraint={constraint}
                chosen={trial}
                choose={setTrial}
              />
            </div>
            <div className="third">
              <FrontTable data={data} objectives={objectives} chosen={trial} choose={setTrial} />
              {constraint && (
                <p className="soft">
                  Allowed: <code>{constraintText(constraint)}</code>
                </p>
              )}
            </div>
          </div>
        )}
      </WhenLoaded>
      {trial && <ModelCard key={trial} trialId={trial} />}
    </div>
  );
}
