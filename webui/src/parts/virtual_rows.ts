import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from "react";

export interface Span {
  readonly first: number;
  /** The first one that is not shown. */
  readonly end: number;
}

/** Which rows of equal height are in sight of a scrolled box, with some more on either side. */
export function rowsInSight(scrollTop: number, height: number, rowHeight: number, total: number, extra = 5): Span {
  const first = Math.max(0, Math.min(total, Math.floor(scrollTop / rowHeight)) - extra);
  const end = Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + extra);
  return { first, end: Math.max(first, end) };
}

/** The same for an element: rendered anew only when another row comes into sight. */
export function useRowsInSight<E extends HTMLElement>(
  rowHeight: number,
  total: number,
): [RefObject<E | null>, Span, () => void] {
  const box = useRef<E>(null);
  const [span, setSpan] = useState<Span>({ first: 0, end: Math.min(total, 40) });
  const look = useCallback(() => {
    const element = box.current;
    if (!element) return;
    const next = rowsInSight(element.scrollTop, element.clientHeight, rowHeight, total);
    setSpan((before) => (before.first === next.first && before.end === next.end ? before : next));
  }, [rowHeight, total]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [look]);
  return [box, span, look];
}
