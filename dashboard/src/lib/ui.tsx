// The pieces all screens are made of.
import { signal, useSignal } from '@preact/signals';
import type { ButtonHTMLAttributes, ComponentChildren, InputHTMLAttributes } from 'preact';
import { useEffect, useId, useMemo, useRef } from 'preact/hooks';
import { ApiError } from './api';
import { formatAgo, formatTime, has, named, t, type Key } from './i18n';
import { inTurn } from './live';
import { question } from './prove';

type Children = { children?: ComponentChildren };

// Of these the server's own sentence says what to do, in the person's language; a sentence for all of a code would only guess. With
// status 422 the code is the service's.
const TOLD = ['invalid', 'conflict', 'limit', 'denied'];

function keyOf({ status, code, message }: ApiError, prefix?: string) {
  if (message && status !== 422 && TOLD.includes(code)) return undefined;
  return [`${prefix}.${code}`, `error.${code}`].find(has) as Key | undefined;
}

// What went wrong, in the person's language where we know the code; the server's own words otherwise.
export function Problem({ error, prefix }: { error: unknown; prefix?: string }) {
  if (!error) return null;
  const told = error instanceof ApiError ? error : new ApiError(0, 'unknown', String(error));
  const { code, message, steps } = told;
  if (code === 'given_up') return null;
  const key = keyOf(told, prefix);
  const said = (
    <>
      {key ? <p>{t(key)}</p> : <p>{message || t('error.unknown')}</p>}
      {key && message && <details><summary>{t('error.details')}</summary><p class="small">{message}</p></details>}
    </>
  );
  return (
    <div class="note bad" role="alert">
      {steps.length === 0 ? said : <ol class="plain-list stack">{steps.map(step => (
        <li key={step.check}>
          <span class="row close"><Badge kind={stepKinds[step.result]}>{t(`step.${step.result}` as Key)}</Badge> {named('doctor', step.check)} {step.ms !== null && <span class="soft">{t('ms', { n: step.ms })}</span>}</span>
          {step.result === 'fail' && said}
        </li>
      ))}</ol>}
    </div>
  );
}
const stepKinds: Record<string, '' | 'good' | 'bad'> = { ok: 'good', skip: '', fail: 'bad' };

export interface Loaded<T> { value: T | undefined; error: unknown; reload: () => Promise<void>; stale: boolean }

// Loads when `key` changes; what was there stays shown meanwhile, and is `stale`.
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, key: unknown = ''): Loaded<T> {
  const state = useSignal<{ key: unknown; value?: T; error?: unknown }>({ key });
  const aborter = useRef<AbortController | null>(null);
  const latest = useRef({ load, key });
  latest.current = { load, key };
  const reload = useMemo(() => inTurn(async () => {
    const { load, key } = latest.current;
    aborter.current?.abort();
    const { signal } = (aborter.current = new AbortController());
    try {
      const value = await load(signal);
      if (!signal.aborted) state.value = { key, value };
    } catch (error) {
      // What was there of another key is not shown as if it were of this one.
      if (!signal.aborted) state.value = { ...(state.value.key === key ? state.value : {}), key, error };
    }
  }), []);
  useEffect(() => {
    void reload();
    return () => aborter.current?.abort();
  }, [key]);
  return { value: state.value.value, error: state.value.error, reload, stale: state.value.key !== key };
}

export function Wait({ what }: { what?: string }) {
  return <p class="wait soft" role="status">{what ?? t('wait')}</p>;
}

// Shows what was loaded, or that it is under way, or why not.
export function Shown<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
  if (of.value !== undefined) return <>{!!of.error && <Problem error={of.error} />}{children(of.value)}</>;
  if (!of.error) return <Wait />;
  return <div class="stack"><Problem error={of.error} /><p><button onClick={() => of.reload()}>{t('again')}</button></p></div>;
}

export function Page({ title, lead, actions, children }: { title: string; lead?: ComponentChildren; actions?: ComponentChildren } & Children) {
  useEffect(() => {
    document.title = `${title} · porteiro`;
  }, [title]);
  return (
    <>
      <div class="head"><h1 tabIndex={-1}>{title}</h1>{actions && <div class="row">{actions}</div>}</div>
      {lead && <p class="lead">{lead}</p>}
      {children}
    </>
  );
}

export function Empty({ children, action }: { action?: ComponentChildren } & Children) {
  return <div class="empty"><p>{children}</p>{action}</div>;
}

export function Badge({ kind = '', children }: { kind?: '' | 'good' | 'warn' | 'bad' } & Children) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

export function Time({ at, none = '' }: { at: string | null | undefined; none?: string }) {
  return at ? <time dateTime={at} title={formatTime(at)}>{formatAgo(at)}</time> : <span class="soft">{none}</span>;
}

// A button whose work may take a while and may fail.
export function Act({ run, children, done, ...rest }: { run: () => Promise<unknown>; done?: string } & Omit<ButtonHTMLAttributes, 'onClick'> & Children) {
  const busy = useSignal(false);
  const click = async () => {
    if (busy.value) return;
    busy.value = true;
    try {
      await run();
      if (done) say(done);
    } catch (error) {
      sayProblem(error);
    } finally {
      busy.value = false;
    }
  };
  return <button type="button" {...rest} aria-busy={busy.value} onClick={click}>{busy.value ? <span class="wait">{children}</span> : children}</button>;
}

// A form that sends itself once, shows what went wrong, and moves there.
export function Form({ send, label, children, prefix, working, secondary, danger }: { send: () => Promise<unknown>; label: string; prefix?: string; working?: string; secondary?: ComponentChildren; danger?: boolean } & Children) {
  const busy = useSignal(false);
  const error = useSignal<unknown>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    error.value = null;
    try {
      await send();
    } catch (problem) {
      error.value = problem;
    } finally {
      busy.value = false;
    }
  };
  return (
    <form class="stack" onSubmit={submit} aria-busy={busy.value}>
      {children}
      <Problem error={error.value} prefix={prefix} />
      {busy.value && <Wait what={working} />}
      <div class="row"><button class={danger ? 'danger' : 'primary'} disabled={busy.value}>{label}</button>{secondary}</div>
    </form>
  );
}

type InputProps = Omit<InputHTMLAttributes, 'onInput' | 'value'> & { label: string; help?: ComponentChildren; value: string; set: (value: string) => void; [more: string]: unknown };

export function Input({ label, help, value, set, ...rest }: InputProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} value={value} onInput={event => set(event.currentTarget.value)} aria-describedby={help ? `${id}-help` : undefined} {...rest as object} />
      {help && <small id={`${id}-help`}>{help}</small>}
    </div>
  );
}

export function Select({ label, value, set, options, help }: { label: string; value: string; set: (value: string) => void; options: [string, string][]; help?: string }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={event => set(event.currentTarget.value)} aria-describedby={help ? `${id}-help` : undefined}>
        {options.map(([key, text]) => <option key={key} value={key} selected={key === value}>{text}</option>)}
      </select>
      {help && <small id={`${id}-help`}>{help}</small>}
    </div>
  );
}

export function Choice({ type = 'checkbox', name, checked, set, label, help, disabled }: { type?: 'checkbox' | 'radio'; name?: string; checked: boolean; set: (checked: boolean) => void; label: string; help?: string; disabled?: boolean }) {
  return (
    <label class="choice">
      <input type={type} name={name} checked={checked} disabled={disabled} onChange={event => set(event.currentTarget.checked)} />
      <span><b>{label}</b>{help && <small>{help}</small>}</span>
    </label>
  );
}

export function Copy({ text, label, secret }: { text: string; label: string; secret?: boolean }) {
  const state = useSignal<'copy' | 'copied' | 'copy.marked'>('copy');
  const code = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text); // there is none outside of https, and a browser may refuse it
    } catch {
      getSelection()!.selectAllChildren(code.current!);
      state.value = 'copy.marked';
      return;
    }
    state.value = 'copied';
    say(t('copied'));
    setTimeout(() => (state.value = 'copy'), 2500);
  };
  return (
    <div class="copy">
      <code ref={code} class={secret ? 'secret' : undefined}>{text}</code>
      <button type="button" class="tiny" onClick={copy} aria-label={`${t(state.value === 'copied' ? 'copy' : state.value)}: ${label}`}>{t(state.value)}</button>
    </div>
  );
}

// ---- short messages

const toasts = signal<{ id: number; text: string }[]>([]);
let count = 0;

export function say(text: string) {
  const id = ++count;
  toasts.value = [...toasts.value, { id, text }];
  setTimeout(() => (toasts.value = toasts.value.filter(toast => toast.id !== id)), 6000);
}

export function sayProblem(error: unknown) {
  if (error instanceof ApiError) {
    if (error.code === 'given_up') return;
    const key = keyOf(error);
    say(key ? t(key) : error.message || t('error.unknown'));
  } else {
    say(String(error));
  }
}

// ---- dialogs

export function Dialog({ title, close, children }: { title: string; close: () => void } & Children) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current!.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onCancel={event => (event.preventDefault(), close())}>
      <div class="stack"><h2 id={id}>{title}</h2>{children}</div>
    </dialog>
  );
}

interface Asked { title: string; text: ComponentChildren; label: string; typed?: string; run: () => Promise<unknown>; done?: string }
const asked = signal<Asked | null>(null);

// Before what cannot be taken back: says what would happen to which thing; `typed` is a word to be typed for it.
export const confirm = (question: Asked) => (asked.value = question);

function Confirm({ title, text, label, typed, run, done }: Asked) {
  const word = useSignal('');
  const close = () => (asked.value = null);
  const send = async () => {
    if (typed && word.value.trim() !== typed.trim()) throw new ApiError(0, 'mistyped', '');
    await run();
    close();
    if (done) say(done);
  };
  return (
    <Dialog title={title} close={close}>
      <p>{text}</p>
      <Form send={send} label={label} danger secondary={<button type="button" onClick={close}>{t('cancel')}</button>}>
        {typed && <Input label={t('confirm.type', { word: typed })} value={word.value} set={value => (word.value = value)} required autocomplete="off" />}
      </Form>
    </Dialog>
  );
}

function Prove() {
  const password = useSignal('');
  const { send, done } = question.value!;
  return (
    <Dialog title={t('prove.title')} close={() => done(false)}>
      <p>{t('prove.text')}</p>
      <Form send={async () => (await send(password.value), done(true))} label={t('continue')} secondary={<button type="button" onClick={() => done(false)}>{t('cancel')}</button>}>
        <Input label={t('password')} type="password" autocomplete="current-password" required value={password.value} set={value => (password.value = value)} />
      </Form>
    </Dialog>
  );
}

export function Above() {
  return (
    <>
      {asked.value && <Confirm {...asked.value} />}
      {question.value && <Prove />}
      <div class="toasts" role="status" aria-live="polite">{toasts.value.map(({ id, text }) => <p key={id}>{text}</p>)}</div>
    </>
  );
}
