// The token that the daemon may ask for. It lives in the tab's sessionStorage and goes out in a header alone: no address
// and no cookie ever has it, so that no other site can make the browser use it.
import { problemOf } from "./problem";
import { Store } from "./store";

const place = "lathe-token";

/** What the sign-in dialog asks, and how it answers. */
export interface TokenQuestion {
  readonly reason: string;
  answer(token: string): void;
}

/** The question that is open; the shell shows it. All requests that were refused wait for the same one. */
export const tokenQuestion = new Store<TokenQuestion | null>(null);
let pending: Promise<void> | null = null;

const currentToken = (): string => sessionStorage.getItem(place) ?? "";

function askForToken(reason: string): Promise<void> {
  pending ??= new Promise<void>((resolve) => {
    tokenQuestion.set({
      reason,
      answer: (token) => {
        sessionStorage.setItem(place, token.trim());
        pending = null;
        tokenQuestion.set(null);
        resolve();
      },
    });
  });
  return pending;
}

export const isSignedIn = (): boolean => currentToken() !== "";

/** fetch() with the token; asks for one, as often as needed, when the daemon refuses the request for lack of it. */
export async function fetchAllowed(path: string, options: RequestInit = {}): Promise<Response> {
  for (;;) {
    const token = currentToken();
    const headers = new Headers(options.headers);
    if (token) headers.set("Authorization", `Bearer ${token}`);
    const response = await fetch(path, { ...options, headers });
    if (response.status !== 401) return response;
    // Another request may have got a new token meanwhile.
    if (token !== currentToken()) continue;
    sessionStorage.removeItem(place);
    await askForToken(token ? "The last one is not known to it." : "");
    options.signal?.throwIfAborted();
  }
}

/** Saves a file of the daemon's; a plain link cannot where a token is needed. */
export async function saveFile(path: string, name: string): Promise<void> {
  const response = await fetchAllowed(path);
  if (!response.ok) throw await problemOf(response);
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  saveBlob(await response.blob(), named ?? name);
}

/** Hands data to the browser as a download. */
export function saveBlob(data: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(data);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
