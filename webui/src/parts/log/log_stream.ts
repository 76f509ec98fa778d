import { isAbort, problemOf } from "../../api/problem";
import { fetchAllowed } from "../../api/session";

interface Handlers {
  open(): void;
  text(text: string): void;
  /** The answer has ended: the file does not grow any more, or the connection broke. */
  end(error: unknown): void;
}

/** Reads an answer as text while it comes. A character that is cut in two between pieces stays whole. */
export async function readText(path: string, handlers: Handlers, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetchAllowed(path, { signal });
    if (!response.ok || !response.body) throw await problemOf(response);
    handlers.open();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      handlers.text(decoder.decode(value, { stream: true }));
    }
    handlers.end(null);
  } catch (error) {
    if (!isAbort(error)) handlers.end(error);
  }
}
