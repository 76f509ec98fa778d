// What an experiment was told to do. On the overview each part is folded away until it is wanted.
import { useState, type ReactNode } from "react";
import { CopyButton } from "../../parts/copy";
import { LogView } from "../../parts/log/log_view";
import { TextBlock } from "../../parts/text";
import { useExperiment } from "../experiment/context";
import { SearchSpace } from "./search_space";
import { yamlText } from "./yaml_text";

function Part({
  title,
  children,
  isOpen = false,
}: {
  title: string;
  children: () => ReactNode;
  isOpen?: boolean;
}): ReactNode {
  const [wasOpened, setOpened] = useState(isOpen);
  return (
    <details className="card" open={isOpen} onToggle={(event) => event.currentTarget.open && setOpened(true)}>
      <summary>{title}</summary>
      {wasOpened && <div className="part">{children()}</div>}
    </details>
  );
}

/** Configuration, search space and the daemon's log. */
export default function Details({ isOpen = false }: { isOpen?: boolean }): ReactNode {
  const { experiment } = useExperiment();
  const { searchSpace, ...others } = experiment.config ?? {};
  return (
    <>
      <Part title="Search space" isOpen={isOpen}>
        {() => <SearchSpace space={searchSpace} />}
      </Part>
      <Part title="Configuration" isOpen={isOpen}>
        {() => (
          <>
            <p className="row">
              <code className="wrap">{experiment.directory}</code>
              <CopyButton text={yamlText(experiment.config)} label="Copy as YAML" />
            </p>
            <TextBlock label="Configuration">{yamlText(others)}</TextBlock>
          </>
        )}
      </Part>
      <Part title="Daemon log" isOpen={isOpen}>
        {() => <LogView path="/api/v1/log" name="lathed.log" isLive />}
      </Part>
    </>
  );
}
