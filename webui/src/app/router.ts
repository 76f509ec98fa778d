// The address names the view: `#/experiments/ID/trials?sort=-metric`. The part behind `#` is never sent to a server, so that
// the daemon serves one page, and a file that is not there stays a 404.
import { useMemo } from "react";
import { Store, useStore } from "../api/store";

export interface Place {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Reads `#/a/b?x=1`; segments are percent-decoded, and one that cannot be decoded is taken as it is. */
export function parsePlace(hash: string): Place {
  const text = hash.replace(/^#\/?/, "");
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    query: new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)),
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

type Values = Readonly<Record<string, string | number | readonly string[] | null | undefined>>;

function withValues(query: URLSearchParams, values: Values): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) {
    const text = Array.isArray(value) ? value.join(",") : String(value ?? "");
    if (text === "") next.delete(name);
    else next.set(name, text);
  }
  return next;
}

/** The address of a view, for links. */
export function to(path: readonly string[], values: Values = {}): string {
  const query = withValues(new URLSearchParams(), values).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}

const hash = new Store(typeof location === "undefined" ? "" : location.hash);
if (typeof window !== "undefined") window.addEventListener("hashchange", () => hash.set(location.hash));

export function go(address: string): void {
  location.hash = address;
}

/** Changes values of the query in place: what is chosen in a view belongs to its address, but not to the history. */
export function setQuery(values: Values): void {
  const place = parsePlace(location.hash);
  const query = withValues(place.query, values).toString();
  const next = `#/${place.path.map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
  history.replaceState(null, "", next);
  hash.set(location.hash);
}

export function usePlace(): Place {
  const text = useStore(hash);
  return useMemo(() => parsePlace(text), [text]);
}

/** One value of the query, and how to change it. */
export function useQueryValue(name: string, otherwise = ""): [string, (value: string) => void] {
  const value = usePlace().query.get(name) ?? otherwise;
  return [value, (next) => setQuery({ [name]: next === otherwise ? null : next })];
}

/** A list in the query, its items separated by commas. */
export function useQueryList(name: string): [readonly string[], (value: readonly string[]) => void] {
  const text = usePlace().query.get(name) ?? "";
  const list = useMemo(() => text.split(",").filter(Boolean), [text]);
  return [list, (next) => setQuery({ [name]: next })];
}
