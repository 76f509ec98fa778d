import type { ReactNode } from "react";
import { saveFile } from "../api/session";
import { attempt } from "./toast";

/** A link to a file of the daemon's, which is fetched with the token where one is needed. */
export function SaveLink({ path, name, children }: { path: string; name: string; children: ReactNode }): ReactNode {
  return (
    <a
      href={path}
      download={name}
      onClick={(event) => {
        event.preventDefault();
        void attempt(() => saveFile(path, name));
      }}
    >
      {children}
    </a>
  );
}
