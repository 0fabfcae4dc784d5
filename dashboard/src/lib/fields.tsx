// The fields of a provider's form, as its table says: kinds, choices, and which of them belong to which choice.
import type { Signal } from '@preact/signals';
import { fieldHelp, fieldLabel } from './state';
import type { Field } from './types';
import { Input, Select } from './ui';

export type Values = Record<string, string>;

function FieldInput({ field, value, set }: { field: Field; value: string; set: (value: string) => void }) {
  if (field.kind === 'choice') return <Select label={fieldLabel(field)} help={fieldHelp(field) ?? undefined} value={value} set={set} options={field.choices.map(word => [word, word])} />;
  return (
    <Input label={fieldLabel(field)} help={fieldHelp(field)} required={field.required} value={value} set={set} name={field.name} maxLength={4000}
      type={field.kind === 'secret' ? 'password' : 'text'} inputMode={field.kind === 'url' ? 'url' : undefined} autocomplete="off" autocapitalize="off" spellcheck={false} />
  );
}

// What is in a field; the first word of a choice stands for none.
const valueOf = (field: Field | undefined, values: Values) => (field && (values[field.name] || field.choices[0])) || '';

// Those that are asked for with what was chosen so far.
export const asked = (fields: Field[], values: Values) => fields.filter(({ only_with }) => {
  const [name, word] = only_with?.split('=') ?? [];
  return !name || valueOf(fields.find(field => field.name === name), values) === word;
});

export const FieldInputs = ({ fields, values }: { fields: Field[]; values: Signal<Values> }) => (
  <>{fields.map(field => <FieldInput key={field.name} field={field} value={valueOf(field, values.value)} set={value => (values.value = { ...values.value, [field.name]: value })} />)}</>
);

// What was typed, as {config, secrets}. What was there before and was emptied is sent empty.
export function bodyOf(fields: Field[], values: Values, before: Record<string, unknown> = {}) {
  const pick = (secret: boolean) => Object.fromEntries(asked(fields, values).filter(field => field.secret === secret && (valueOf(field, values) || before[field.name])).map(field => [field.name, valueOf(field, values)]));
  return { config: pick(false), secrets: pick(true) };
}
