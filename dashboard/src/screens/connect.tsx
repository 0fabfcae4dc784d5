// The wizard: a form made of the provider's own field table; nothing here knows any provider.
import { useSignal } from '@preact/signals';
import { api } from '../lib/api';
import { t } from '../lib/i18n';
import { go } from '../lib/router';
import { FieldInputs, asked, bodyOf, type Values } from '../lib/fields';
import { fresh, loadProviders } from '../lib/state';
import { TERMS, TermsFields, termsBody } from '../lib/terms';
import type { Made, Provider } from '../lib/types';
import { Choice, Empty, Form, Input, Page, Shown, useLoad } from '../lib/ui';

const hostOf = (address: string) => {
  try {
    return new URL(address.includes('://') ? address : `https://${address}`).hostname.replace(/^www\./, '');
  } catch {
    return address;
  }
};

function ProviderForm({ provider }: { provider: Provider }) {
  const values = useSignal<Values>({});
  const name = useSignal('');
  const pastes = useSignal(!provider.authorize);
  const terms = useSignal(TERMS);
  const custom = useSignal(false);
  const address = provider.fields.find(field => field.kind === 'url');
  const suggested = address ? hostOf(values.value[address.name] ?? '') : '';
  const shown = asked(provider.fields, values.value);
  const last = provider.authorize ? shown.filter(field => field.secret) : []; // with two ways, below the question which

  const send = async () => {
    const { config, secrets } = bodyOf(provider.fields, values.value);
    const body = { provider: provider.key, name: name.value.trim() || suggested || provider.name, config, ...termsBody(terms.value) };
    if (!pastes.value) {
      const { url } = await api.post<{ url: string }>('/api/connections/authorize', body);
      location.assign(url);
      return new Promise(() => {}); // the page is left
    }
    const made = await api.post<Made>('/api/connections', { ...body, secrets });
    fresh.value = { connection: made.id, token: made.token, id: made.token_id };
    go(`/connections/${made.id}/clients`);
  };

  return (
    <Form send={send} prefix="check" working={pastes.value ? t('connect.checking') : t('connect.looking')} label={pastes.value ? t('connect.check') : t('connect.authorize', { name: provider.name })}>
      <FieldInputs fields={shown.filter(field => !last.includes(field))} values={values} />
      {provider.authorize && (
        <fieldset>
          <legend>{t('connect.how')}</legend>
          <Choice type="radio" name="how" checked={!pastes.value} set={() => (pastes.value = false)} label={t('connect.authorize', { name: provider.name })} help={t('connect.authorize.help')} />
          <Choice type="radio" name="how" checked={pastes.value} set={() => (pastes.value = true)} label={t('connect.paste')} help={t('connect.paste.help')} />
        </fieldset>
      )}
      {pastes.value && <FieldInputs fields={last} values={values} />}
      <Input label={t('connect.name')} help={t('connect.name.help')} value={name.value} set={value => (name.value = value)} placeholder={suggested} maxLength={100} autocomplete="off" />
      <TermsFields terms={terms.value} set={value => (terms.value = value)} custom={custom.value} setCustom={value => (custom.value = value)} />
    </Form>
  );
}

export default function Connect() {
  const providers = useLoad(loadProviders);
  const chosen = useSignal('');
  return (
    <Page title={t('connect.title')} lead={t('connect.lead')}>
      <Shown of={providers}>{all => {
        // First, and open at once: what a click connects.
        const usable = all.filter(provider => provider.enabled && provider.known).sort((a, b) => Number(b.authorize) - Number(a.authorize));
        const provider = usable.find(({ key }) => key === chosen.value) ?? usable[0];
        if (!provider) return <Empty>{t('connect.none')}</Empty>;
        return (
          <>
            {usable.length > 1 && (
              <div class="tabs" role="group" aria-label={t('connect.what')}>
                {usable.map(({ key, name }) => <button key={key} type="button" aria-pressed={provider.key === key} onClick={() => (chosen.value = key)}>{name}</button>)}
              </div>
            )}
            <ProviderForm key={provider.key} provider={provider} />
          </>
        );
      }}</Shown>
    </Page>
  );
}
