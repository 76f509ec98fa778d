// What a view shows when it has nothing to show.
import type { ReactNode } from "react";
import { ApiError, errorText } from "../api/problem";
import type { Loaded } from "../api/use_load";

export function Loading({ what = "Loading" }: { what?: string }): ReactNode {
  return (
    <p className="loading soft" role="status">
      {what}…
    </p>
  );
}

export function EmptyState({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children && <div className="soft">{children}</div>}
    </div>
  );
}

export function ErrorState({ error, retry }: { error: unknown; retry?: (() => void) | undefined }): ReactNode {
  return (
    <div className="notice bad" role="alert">
      <p>
        <bdi>{errorText(error)}</bdi>
      </p>
      {retry && <button onClick={retry}>Try again</button>}
    </div>
  );
}

/** Whether the daemon does not know a view at all, being older than this page. */
export const isNotOffered = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 404 || error.status === 405) &&
  /there is nothing at|does not know/.test(error.message);

interface WhenProps<T> {
  loaded: Loaded<T>;
  what?: string;
  children: (data: T) => ReactNode;
}

/** Shows what was loaded, or why it is not there. Old data stays in sight while new data is loaded. */
export function WhenLoaded<T>({ loaded, what, children }: WhenProps<T>): ReactNode {
  const { data, error, isLoading, reload } = loaded;
  if (isNotOffered(error)) {
    return (
      <EmptyState title="This daemon does not offer this view">
        The page is newer than lathed; restart lathed to run the version that came with it.
      </EmptyState>
    );
  }
  return (
    <>
      {error !== null && <ErrorState error={error} retry={reload} />}
      {data !== undefined ? children(data) : isLoading && <Loading {...(what ? { what } : {})} />}
    </>
  );
}
