// What a token may do, in words; for the wizard and for further tokens.
import { t, type Key } from './i18n';
import { RIGHTS } from './state';
import { Choice, Select } from './ui';

export interface Terms { rights: string[]; confirm: string; expires: string }
export const TERMS: Terms = { rights: ['read', 'draft'], confirm: 'none', expires: '90d' };

const templates: [Key, Key, string[]][] = [
  ['template.read', 'template.read.help', ['read']],
  ['template.writer', 'template.writer.help', ['read', 'draft']],
  ['template.editor', 'template.editor.help', ['read', 'draft', 'publish', 'delete']],
];
const same = (a: string[], b: string[]) => [...a].sort().join() === [...b].sort().join();

export function TermsFields({ terms, set, custom, setCustom }: { terms: Terms; set: (terms: Terms) => void; custom: boolean; setCustom: (custom: boolean) => void }) {
  const toggle = (right: string, on: boolean) => set({ ...terms, rights: RIGHTS.filter(name => (name === right ? on : terms.rights.includes(name))) });
  return (
    <>
      <fieldset>
        <legend>{t('terms.rights')}</legend>
        {templates.map(([name, help, rights]) => (
          <Choice key={name} type="radio" name="template" checked={!custom && same(terms.rights, rights)} set={() => (setCustom(false), set({ ...terms, rights }))} label={t(name)} help={t(help)} />
        ))}
        <Choice type="radio" name="template" checked={custom} set={() => setCustom(true)} label={t('template.custom')} help={t('template.custom.help')} />
        {custom && <div class="stack" role="group" aria-label={t('template.custom')}>
          {RIGHTS.map(right => (
            <Choice key={right} checked={right === 'read' || terms.rights.includes(right)} disabled={right === 'read'} set={on => toggle(right, on)} label={t(`right.${right}`)} help={t(`right.${right}.help`)} />
          ))}
        </div>}
      </fieldset>
      <Select label={t('terms.confirm')} value={terms.confirm} set={confirm => set({ ...terms, confirm })} help={t(`confirm.${terms.confirm}.help` as Key)}
        options={(['none', 'human'] as const).map(key => [key, t(`confirm.${key}`)])} />
      <Select label={t('terms.expires')} value={terms.expires} set={expires => set({ ...terms, expires })}
        options={(['30d', '90d', '365d', 'never'] as const).map(key => [key, t(`expires.${key}`)])} />
    </>
  );
}

export const termsBody = (terms: Terms) => ({ rights: terms.rights.join(','), confirm: terms.confirm, expires: terms.expires });
