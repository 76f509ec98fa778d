import type { Problem } from "./types";

/** A refusal of the daemon; `message` is the detail of its problem document. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors: NonNullable<Problem["errors"]> = [],
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** What a response that is not ok says; a proxy in between may answer without a problem document. */
export async function problemOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return new ApiError(response.status, problem.detail ?? `${response.status} ${response.statusText}`, problem.errors);
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

/** A sentence for people. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof TypeError) return "The daemon does not answer. Is lathed running?";
  return error instanceof Error ? error.message : String(error);
}
