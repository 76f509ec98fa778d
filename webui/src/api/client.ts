// Typed requests: paths, parameters and answers are those of openapi.yaml.
import type { paths } from "./generated/openapi";
import { problemOf } from "./problem";
import { fetchAllowed } from "./session";

type Method = "get" | "post" | "put" | "patch" | "delete";
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;
type Body<R> = R extends { content: { "application/json": infer T } } ? T : undefined;
type Answer<O> = O extends { responses: infer R } ? Body<R[keyof R & (200 | 201 | 202 | 204)]> : never;
type Query<O> = O extends { parameters: { query?: infer Q } } ? Q : never;

export interface Options<Q> {
  /** Values for the `{names}` of the path. */
  path?: Record<string, string>;
  query?: Q;
  /** A string goes out as it is, anything else as JSON. */
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** The address of a path with its values percent-encoded and its query appended; lists are joined by commas. */
export function address(path: string, values: Record<string, string> = {}, query: object = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for {${name}} of ${path}`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    search.set(name, Array.isArray(value) ? value.join(",") : String(value));
  }
  const text = search.toString();
  return text ? `${filled}?${text}` : filled;
}

/** The JSON at an address; undefined for an empty answer, ApiError for a refusal. */
export async function fetchJson<T>(url: string, init: RequestInit = {}): Promise<T> {
  const response = await fetchAllowed(url, init);
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function send<P extends keyof paths, M extends Method>(
  method: M,
  path: P,
  { path: values, query, body, signal }: Options<unknown>,
): Promise<Answer<Operation<P, M>>> {
  const init: RequestInit = { method: method.toUpperCase() };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.body = typeof body === "string" ? body : JSON.stringify(body);
    init.headers = { "Content-Type": typeof body === "string" ? "application/yaml" : "application/json" };
  }
  return fetchJson(address(path, values, query as object), init);
}

type Call<M extends Method> = <P extends PathsWith<M>>(
  path: P,
  options?: Options<Query<Operation<P, M>>>,
) => Promise<Answer<Operation<P, M>>>;

const caller =
  <M extends Method>(method: M): Call<M> =>
  (path, options = {}) =>
    send(method, path, options);

export const api = {
  get: caller("get"),
  post: caller("post"),
  put: caller("put"),
  patch: caller("patch"),
  delete: caller("delete"),
};
