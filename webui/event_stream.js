// Server-sent events over fetch(): EventSource cannot send the header that a token needs.
import { fetchAllowed } from "./session.js";

/** Cuts the text of a stream into events {id, kind, data}; call with each piece as it comes. */
export function eventParser(take) {
  let rest = "";
  let event = { id: "", kind: "message", data: [] };
  const takeLine = (line) => {
    if (line === "") {
      if (event.data.length) take({ ...event, data: event.data.join("\n") });
      event = { id: event.id, kind: "message", data: [] };
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") event.data.push(value);
    else if (field === "event") event.kind = value;
    else if (field === "id") event.id = value;
  };
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) takeLine(line.replace(/\r$/, ""));
  };
}

/** The events of one connection, from behind `lastId`; returns when it ends, throws when it breaks, is refused or falls silent. */
export async function readEvents(path, lastId, { onOpen, onEvent, signal, longestSilence }) {
  const headers = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
  const silence = new AbortController();
  const response = await fetchAllowed(path, { headers, signal: AbortSignal.any([signal, silence.signal]), cache: "no-store" });
  if (!response.ok) throw new Error(response.statusText);
  onOpen();
  const parse = eventParser(onEvent);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let alarm;
  try {
    for (;;) {
      alarm = setTimeout(() => silence.abort(), longestSilence);
      const { value, done } = await reader.read();
      clearTimeout(alarm);
      if (done) return;
      parse(value);
    }
  } finally {
    clearTimeout(alarm);
  }
}
