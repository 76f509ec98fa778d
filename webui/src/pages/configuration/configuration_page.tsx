import type { ReactNode } from "react";
import Details from "./details";

export default function ConfigurationPage(): ReactNode {
  return (
    <div className="stack">
      <Details isOpen />
    </div>
  );
}
