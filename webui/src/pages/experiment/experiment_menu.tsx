import { useState, type ReactNode } from "react";
import { deleteExperiment, resumeExperiment, stopExperiment } from "../../api/experiment_actions";
import { saveFile } from "../../api/session";
import { isIdle, type Experiment } from "../../api/types";
import { go, to } from "../../app/router";
import { Confirm } from "../../parts/dialog";
import { Menu, type MenuItem } from "../../parts/menu";
import { attempt } from "../../parts/toast";
import { shorten, visible } from "../../format/text";

interface Props {
  experiment: Experiment;
  /** In a list the menu is a symbol, on a page the main actions are buttons. */
  isCompact?: boolean;
}

/** Everything that can be done to an experiment as a whole. */
export function ExperimentMenu({ experiment, isCompact = false }: Props): ReactNode {
  const [question, setQuestion] = useState<"stop" | "delete" | null>(null);
  const { id, status } = experiment;
  // The new state comes as an event. The answer may be older than that by the time that it is read.
  const run = (action: (id: string) => Promise<Experiment>, done: string): Promise<unknown> =>
    attempt(() => action(id), done);
  const canStop = !isIdle(status) && status !== "STOPPING";
  const canResume = isIdle(status);
  const stop: MenuItem = { title: "Stop", run: () => setQuestion("stop"), isDisabled: !canStop };
  const resume: MenuItem = {
    title: "Resume",
    run: () => void run(resumeExperiment, "The experiment goes on."),
    isDisabled: !canResume,
  };
  const exported = (format: string): MenuItem => ({
    title: `Export ${format.toUpperCase()}`,
    run: () => void attempt(() => saveFile(`/api/v1/experiments/${id}/export?format=${format}`, `${id}.${format}`)),
  });
  const others: MenuItem[] = [
    { title: "Clone…", run: () => go(to(["new"], { clone: id })) },
    exported("csv"),
    exported("json"),
    {
      title: "Delete…",
      run: () => setQuestion("delete"),
      isDisabled: !isIdle(status),
      isDangerous: true,
      ...(isIdle(status) ? {} : { hint: "Stop it first." }),
    },
  ];
  const name = shorten(visible((experiment.name || id).slice(0, 81)), 80);
  return (
    <div className="row end" onClick={(event) => event.stopPropagation()}>
      {!isCompact && canStop && <button onClick={stop.run}>Stop</button>}
      {!isCompact && canResume && <button onClick={resume.run}>Resume</button>}
      {isCompact ? (
        <Menu label={`Actions of ${name}`} symbol="⋯" items={[stop, resume, ...others]} />
      ) : (
        <Menu label="More" items={others} />
      )}
      {question === "stop" && (
        <Confirm
          title={`Stop ${name}?`}
          action="Stop"
          close={() => setQuestion(null)}
          run={() => void run(stopExperiment, "The experiment is being stopped.")}
        >
          Its running trials are ended. It can be resumed later.
        </Confirm>
      )}
      {question === "delete" && (
        <Confirm
          title={`Delete ${name}?`}
          action="Delete"
          isDangerous
          close={() => setQuestion(null)}
          run={() => void attempt(() => deleteExperiment(id), "The experiment was deleted.")}
        >
          Its records, models and logs in <code className="wrap">{experiment.directory}</code> are removed for good.
        </Confirm>
      )}
    </div>
  );
}
