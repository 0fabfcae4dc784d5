// What the server tells while a page is open. Without a stream (or when it breaks off) the page asks again by itself, while it is seen.
import { useEffect, useRef } from 'preact/hooks';

const ASK_EVERY_MS = 5000;

const listeners = new Set<() => void>();
let source: EventSource | null = null;
let timer: ReturnType<typeof setInterval> | undefined;
let asked = 0;

const tell = () => {
  if (document.visibilityState === 'visible') listeners.forEach(listener => listener());
};

// Several at once are one.
const soon = () => {
  clearTimeout(asked);
  asked = window.setTimeout(tell, 150);
};

function begin() {
  const ask = () => (timer ??= setInterval(tell, ASK_EVERY_MS));
  source = new EventSource('/api/events');
  source.onopen = () => (clearInterval(timer), (timer = undefined));
  source.onerror = ask;
  for (const kind of ['message', 'audit', 'approval', 'connection', 'token', 'account']) source.addEventListener(kind, soon);
}

function end() {
  source?.close();
  clearInterval(timer);
  source = null;
  timer = undefined;
}

// Calls `changed` when something of this person's may have changed.
export function useLive(changed: () => void) {
  const latest = useRef(changed);
  latest.current = changed;
  useEffect(() => {
    const listener = () => latest.current();
    listeners.add(listener);
    if (listeners.size === 1) begin();
    return () => {
      listeners.delete(listener);
      if (!listeners.size) end();
    };
  }, []);
}
