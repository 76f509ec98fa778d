import { useId, type ReactNode } from "react";

interface Props {
  title: string;
  children: ReactNode;
  /** Controls beside the title. */
  actions?: ReactNode;
  className?: string;
}

/** A part of a page with a heading. */
export function Card({ title, children, actions, className = "" }: Props): ReactNode {
  const id = useId();
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <div className="card-head">
        <h2 id={id}>{title}</h2>
        {actions && <div className="row end">{actions}</div>}
      </div>
      {children}
    </section>
  );
}
