// The server's API. What a person must do first is done here: log in again (401), give the password again (password_needed).
import { askPassword } from './prove';

// What was looked at before it failed: "ok", "fail", or "skip", which was not come to.
export interface Step { check: string; result: string; ms: number | null }

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly steps: Step[] = []) {
    super(message);
  }
}

export const goToLogin = () => {
  sessionStorage.setItem('back', location.hash);
  location.assign('/login?next=/');
  return new Promise<never>(() => {}); // the page is left
};

// Here a 401 may be the password that was entered, not the login.
const ASKS_PASSWORD = ['/api/auth/prove', '/api/me/password'];

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'X-Porteiro': '1' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), credentials: 'same-origin' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'offline', '');
  }
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await send(method, path, body, signal);
  if (answer.status === 401 && !ASKS_PASSWORD.includes(path)) return goToLogin();
  const json = await answer.json().catch(() => null);
  if (answer.ok) return json as T;
  const error = new ApiError(answer.status, json?.error?.code ?? 'unknown', json?.error?.message ?? '', json?.error?.steps);
  if (error.code === 'password_needed') {
    if (!(await askPassword(password => call('POST', '/api/auth/prove', { password })))) throw new ApiError(0, 'given_up', '');
    return call(method, path, body, signal);
  }
  throw error;
}

export const api = {
  get: <T>(path: string, signal?: AbortSignal) => call<T>('GET', path, undefined, signal),
  post: <T = { ok: true }>(path: string, body: unknown = undefined) => call<T>('POST', path, body),
  patch: <T = unknown>(path: string, body: unknown) => call<T>('PATCH', path, body),
  delete: <T = { ok: true }>(path: string) => call<T>('DELETE', path),
};

export type List<T> = { items: T[] };

// "?a=1&b=2" of what has a value
export const query = (values: Record<string, string | number | null | undefined>) => {
  const text = new URLSearchParams(Object.entries(values).filter(([, value]) => value).map(([key, value]) => [key, String(value)])).toString();
  return text && `?${text}`;
};
