// What the server tells while a page is open (GET /api/events: hints without content). What happened before the stream was open, nothing
// tells: the page looks once more then. When the stream breaks off, the page asks again by itself until it is back; a page that nobody
// sees asks nothing, and looks when it is seen again. Browsers bring a broken stream back, but not one that was answered with an error,
// such as a proxy's 502 while the server starts anew: that the page does.
import { useEffect, useRef } from 'preact/hooks';

const ASK_EVERY_MS = 5000, GATHER_MS = 150, PATIENCE_MS = 10_000;
const KINDS = ['audit', 'approval', 'connection', 'token', 'account'];

const listeners = new Set<() => void>();
let source: EventSource | null = null;
let timer: number | undefined, gathering: number | undefined;

const tell = () => {
  if (document.visibilityState === 'visible') listeners.forEach(listener => listener());
};
const soon = () => {
  gathering ??= window.setTimeout(() => {
    gathering = undefined;
    tell();
  }, GATHER_MS);
};
const stopAsking = () => {
  clearInterval(timer);
  timer = undefined;
};

function ask() {
  tell();
  if (source?.readyState === EventSource.CLOSED && document.visibilityState === 'visible') open();
}

function open() {
  source = new EventSource('/api/events');
  source.onopen = () => (stopAsking(), soon());
  source.onerror = () => (timer ??= window.setInterval(ask, ASK_EVERY_MS));
  KINDS.forEach(kind => source!.addEventListener(kind, soon));
}

function begin() {
  open();
  document.addEventListener('visibilitychange', tell);
}

function end() {
  source?.close();
  source = null;
  stopAsking();
  document.removeEventListener('visibilitychange', tell);
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

// For what no event tells, such as the very first use of a token.
export function useEvery(ms: number, ask: () => void) {
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const own = setInterval(() => document.visibilityState === 'visible' && latest.current(), ms);
    return () => clearInterval(own);
  }, [ms]);
}

// One at a time: what is asked for while one is under way is done once more behind it, and not in its place, or on a slow line, where
// something new is told all the time, none would ever end. One that takes too long is not waited for.
export function inTurn(run: () => Promise<void>) {
  interface Turn { since: number; end: Promise<void>; next?: Promise<void> }
  let now: Turn | null = null;
  const begin = () => {
    const own: Turn = { since: performance.now(), end: run().finally(() => now === own && (now = null)) };
    now = own;
    return own.end;
  };
  return () => {
    const own = now;
    if (!own || performance.now() - own.since > PATIENCE_MS) return begin();
    return (own.next ??= own.end.then(() => now?.end ?? begin()));
  };
}
