// Where we are is in the address behind the #: "#/connections/7?tab=tokens" is {path: ["connections", "7"], query: {tab: "tokens"}}.
import { signal } from '@preact/signals';

export interface Place { path: string[]; query: URLSearchParams }

const read = (): Place => {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) };
};

function decode(text: string) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const place = signal<Place>(read());
addEventListener('hashchange', () => (place.value = read()));

export const go = (to: string) => location.assign(`#${to}`);

// Keeps a filter in the address without a step in the history.
export function setQuery(values: Record<string, string>) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  history.replaceState(null, '', `#/${place.value.path.map(encodeURIComponent).join('/')}${query && `?${query}`}`);
  place.value = read();
}
