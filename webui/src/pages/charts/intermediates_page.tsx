import type { ReactNode } from "react";
import { useQueryList, useQueryValue } from "../../app/router";
import { Choice } from "../../parts/choice";
import IntermediateChart from "./intermediate_chart";

const amounts = ["5", "10", "20", "50", "100"].map((text) => [text, `best ${text}`] as const);

export default function IntermediatesPage(): ReactNode {
  const [top, setTop] = useQueryValue("top", "20");
  const [trials] = useQueryList("trials");
  return (
    <IntermediateChart
      title="Intermediate results"
      height="calc(100vh - 19rem)"
      {...(trials.length > 0 ? { trials } : { top: Number(top) || 20 })}
      controls={<Choice label="Trials" value={top} items={amounts} set={setTop} />}
    />
  );
}
