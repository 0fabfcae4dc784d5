// Two languages with the same keys; only the one that is used is loaded. {name} in a text is filled in; "one|many" is chosen by n.
import { signal } from '@preact/signals';
import type en from '../i18n/en';

export type Key = keyof typeof en;
export type Language = 'en' | 'pt-BR';
export const LANGUAGES: Record<Language, string> = { en: 'English', 'pt-BR': 'Português' };

export const language = signal<Language>('en');
let texts: Record<string, string> = {};
let plurals: Intl.PluralRules;

export async function setLanguage(wanted: string | null | undefined) {
  const chosen: Language = wanted?.toLowerCase().startsWith('pt') ? 'pt-BR' : 'en';
  texts = (await (chosen === 'en' ? import('../i18n/en') : import('../i18n/pt'))).default;
  plurals = new Intl.PluralRules(chosen);
  document.documentElement.lang = chosen;
  language.value = chosen;
  localStorage.setItem('language', chosen);
}

// Before the account is known: as it was here last.
export const lastLanguage = () => localStorage.getItem('language') ?? navigator.language;

type Values = Record<string, string | number | null | undefined>;

export const has = (key: string): key is Key => {
  void language.value;
  return Object.hasOwn(texts, key);
};

export function t(key: Key, values?: Values): string {
  void language.value; // whoever shows a text is drawn again in the other language
  let text = texts[key] ?? key;
  if (values && 'n' in values && text.includes('|')) {
    const [one, many] = text.split('|');
    text = plurals.select(Number(values.n)) === 'one' ? one : many;
  }
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => String(typeof values[name] === 'number' ? formatNumber(values[name]) : values[name] ?? '')) : text;
}

// A text by a name from the server, or what the server calls it.
export const named = (prefix: string, name: string | null | undefined, otherwise = name ?? '', values?: Values): string => {
  const key = `${prefix}.${name}`;
  return has(key) ? t(key, values) : otherwise;
};

export const formatNumber = (value: number) => new Intl.NumberFormat(language.value).format(value);

export const formatTime = (iso: string) =>
  new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso));

export const formatDay = (iso: string) => new Intl.DateTimeFormat(language.value, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(iso));

export function formatAgo(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  // two months is said in days, so that little is lost
  const steps: [Intl.RelativeTimeFormatUnit, number, number][] = [['year', 31536000, 31536000], ['month', 2592000, 3 * 2592000], ['day', 86400, 86400], ['hour', 3600, 3600], ['minute', 60, 60]];
  const [unit, size] = steps.find(([, , from]) => Math.abs(seconds) >= from) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' }).format(Math.trunc(seconds / size), unit);
}
