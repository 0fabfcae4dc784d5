// The fields of a provider's form, as its table says.
import { fieldHelp, fieldLabel } from './state';
import type { Field } from './types';
import { Input } from './ui';

export function FieldInput({ field, value, set }: { field: Field; value: string; set: (value: string) => void }) {
  return (
    <Input label={fieldLabel(field)} help={fieldHelp(field)} required={field.required} value={value} set={set} name={field.name} maxLength={4000}
      type={field.kind === 'secret' ? 'password' : 'text'} inputMode={field.kind === 'url' ? 'url' : undefined} autocomplete="off" autocapitalize="off" spellcheck={false} />
  );
}

// What was typed, as {config, secrets}.
export function bodyOf(fields: Field[], values: Record<string, string>) {
  const pick = (secret: boolean) => Object.fromEntries(fields.filter(field => field.secret === secret && values[field.name]).map(field => [field.name, values[field.name]]));
  return { config: pick(false), secrets: pick(true) };
}
