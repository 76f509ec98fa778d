import type { ReactNode } from "react";
import { errorText, type ApiError } from "../../api/problem";
import { visible } from "../../format/text";
import type { Checked } from "./use_check";

interface Finding {
  readonly field?: string | undefined;
  readonly line?: number | undefined;
  readonly message: string;
}

interface Props {
  errors: readonly Finding[];
  checked: Checked;
  isCheckOffered: boolean;
  refusal: ApiError | null;
}

/** What the daemon finds wrong with the configuration, or that it is good. */
export function Findings({ errors, checked, isCheckOffered, refusal }: Props): ReactNode {
  const { check, error, isChecking } = checked;
  if (!isCheckOffered && !refusal) {
    return <p className="soft">This daemon checks a configuration when it is created, not before.</p>;
  }
  return (
    <div aria-live="polite" aria-busy={isChecking}>
      {refusal && errors.length === 0 && <p className="worse">{visible(refusal.message)}</p>}
      {error !== null && isCheckOffered && <p className="worse">{errorText(error)}</p>}
      {check?.valid && !refusal && <p className="better">✓ The daemon accepts this configuration.</p>}
      {errors.length > 0 && <List title="To be corrected" items={errors} />}
      {(check?.warnings.length ?? 0) > 0 && (
        <List title="Warnings" items={(check?.warnings ?? []).map((message) => ({ message }))} />
      )}
    </div>
  );
}

function List({ title, items }: { title: string; items: readonly Finding[] }): ReactNode {
  return (
    <>
      <h2>{title}</h2>
      <ul className="findings">
        {items.map(({ field, line, message }, index) => (
          <li key={index}>
            {line !== undefined && <span className="soft">line {line} </span>}
            {field && <code className="wrap">{visible(field)}</code>} <bdi>{visible(message)}</bdi>
          </li>
        ))}
      </ul>
    </>
  );
}
