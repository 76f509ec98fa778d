// A new experiment, written in YAML.
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { analysis } from "../../api/analysis";
import { api } from "../../api/client";
import { createExperiment } from "../../api/experiment_actions";
import { ApiError } from "../../api/problem";
import { useLoad } from "../../api/use_load";
import { go, to } from "../../app/router";
import { isNotOffered, Loading, ErrorState } from "../../parts/states";
import { attempt } from "../../parts/toast";
import { yamlText } from "../configuration/yaml_text";
import { Findings } from "./findings";
import { starter } from "./starter";
import { useCheck } from "./use_check";
import { YamlEditor, type Remark } from "./yaml_editor";
import "../../style/create.css";

const draftPlace = "lathe-draft";

export default function CreatePage({ clone }: { clone: string | null }): ReactNode {
  const origin = useLoad(
    async (signal) => (clone ? api.get("/api/v1/experiments/{id}", { path: { id: clone }, signal }) : null),
    [clone],
  );
  if (origin.error !== null) return <ErrorState error={origin.error} retry={origin.reload} />;
  if (origin.data === undefined) return <Loading />;
  const text = origin.data ? yamlText(origin.data.config) : (sessionStorage.getItem(draftPlace) ?? starter);
  return <Form start={text} isClone={clone !== null} />;
}

function Form({ start, isClone }: { start: string; isClone: boolean }): ReactNode {
  const [text, setText] = useState(start);
  const [directory, setDirectory] = useState("");
  const [refusal, setRefusal] = useState<ApiError | null>(null);
  const schemas = useSchemas();
  const checked = useCheck(text, directory);
  useEffect(() => {
    if (!isClone) sessionStorage.setItem(draftPlace, text);
    setRefusal(null);
  }, [text, isClone]);
  const errors = refusal?.errors ?? checked.check?.errors ?? [];
  const remarks = useMemo(
    () =>
      errors.map(({ line, field, message }): Remark => ({
        line: line ?? 1,
        message: field ? `${field}: ${message}` : message,
        isError: true,
      })),
    [errors],
  );
  const create = async (): Promise<void> => {
    const made = await attempt(async () => {
      try {
        return await createExperiment(text, directory);
      } catch (error) {
        if (error instanceof ApiError) setRefusal(error);
        throw error;
      }
    }, "The experiment was created.");
    if (!made) return;
    if (!isClone) sessionStorage.removeItem(draftPlace);
    go(to(["experiments", made.id]));
  };
  return (
    <>
      <div className="page-head">
        <h1>{isClone ? "Clone of an experiment" : "New experiment"}</h1>
        <div className="row end">
          {!isClone && <button onClick={() => setText(starter)}>Start over</button>}
          <button className="primary" onClick={() => void create()}>
            Create
          </button>
        </div>
      </div>
      <div className="create">
        <YamlEditor text={text} onChange={setText} onSubmit={() => void create()} remarks={remarks} schemas={schemas} />
        <aside className="stack" aria-label="Checks">
          <label className="field">
            Folder of relative paths (on the daemon’s machine)
            <input
              type="text"
              placeholder="the daemon’s search path"
              value={directory}
              onChange={(event) => setDirectory(event.target.value)}
            />
          </label>
          <Findings errors={errors} checked={checked} isCheckOffered={!isNotOffered(checked.error)} refusal={refusal} />
          <p className="soft">
            Ctrl-Space completes keys and values, Ctrl-Enter creates. The same file works with{" "}
            <code>lathectl create --config</code>.
          </p>
        </aside>
      </div>
    </>
  );
}

/** The schemas for completion; without them the editor is plain. */
function useSchemas(): { experiment: Record<string, unknown>; searchSpace: Record<string, unknown> } | null {
  const { data } = useLoad(async (signal) => {
    const [experiment, searchSpace] = await Promise.all([
      analysis.schema("experiment", signal),
      analysis.schema("search-space", signal),
    ]);
    return { experiment, searchSpace };
  }, []);
  return data ?? null;
}
