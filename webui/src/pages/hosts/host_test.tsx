import type { ReactNode } from "react";
import type { HostTest } from "../../api/types";
import { shorten, visible } from "../../format/text";
import { Dialog } from "../../parts/dialog";

const tones = { OK: "good", WARNING: "wait", FAILED: "bad", SKIPPED: "calm" } as const;

/** What a test of a host has found, step by step. */
export function HostTestDialog({ test, close }: { test: HostTest; close: () => void }): ReactNode {
  return (
    <Dialog
      title={`${shorten(visible(test.host), 80)}: ${test.ok ? "trials can run there" : "trials cannot run there"}`}
      isWide
      close={close}
    >
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Verdict</th>
            <th scope="col">What was found</th>
          </tr>
        </thead>
        <tbody>
          {test.checks.map(({ step, verdict, detail }) => (
            <tr key={step}>
              <td>{step}</td>
              <td>
                <span className={`status ${tones[verdict]}`}>{verdict}</span>
              </td>
              <td className="wrap">
                <bdi>{shorten(visible(detail), 2_000)}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
