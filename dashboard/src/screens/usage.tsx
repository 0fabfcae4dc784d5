// How much is done, by day, tool and connection; how fast, and how often it fails.
import { api, query, type List } from '../lib/api';
import { Chart, type Bar } from '../lib/chart';
import { formatNumber, named, t } from '../lib/i18n';
import { place, setQuery } from '../lib/router';
import { connectionName, connections, isBad, loadConnections, loadTokensOf, tokenName } from '../lib/state';
import type { Usage } from '../lib/types';
import { Empty, Page, Select, Shown, useLoad } from '../lib/ui';

const DAY_MS = 24 * 3600 * 1000;
const sum = (items: Usage[]) => items.reduce((total, item) => total + item.count, 0);

function barsOf(items: Usage[], days: number): Bar[] {
  return Array.from({ length: days }, (_, i) => {
    const day = new Date(Date.now() - (days - 1 - i) * DAY_MS).toISOString().slice(0, 10);
    const own = items.filter(item => item.day.startsWith(day));
    return { day, value: sum(own), bad: sum(own.filter(isBad)) };
  });
}

// About so many tokens of a model: o200k_base takes one for 2.5 bytes of our answers, most of which are lists (tests/dashboard/screens.test.mjs).
const BYTES_PER_TOKEN = 2.5;
const cost = (items: Usage[]) => Math.round(items.reduce((total, item) => total + (item.bytes_total ?? 0), 0) / BYTES_PER_TOKEN);
const costOf = (items: Usage[], days: number): Bar[] => barsOf(items, days).map(({ day }) => ({ day, value: cost(items.filter(item => item.day.startsWith(day))) }));

// The mean of what was measured, by day.
function latencyOf(items: Usage[], days: number): Bar[] {
  return barsOf(items, days).map(({ day }) => {
    const own = items.filter(item => item.day.startsWith(day) && item.ms_total !== null);
    return { day, value: Math.round(own.reduce((total, item) => total + (item.ms_total ?? 0), 0) / Math.max(1, sum(own))) };
  });
}

// What 95 of 100 took at most. Each row of the API says so of its own calls; of several together it is at most the least of their times
// within which enough of them are known to lie.
function within95(items: Usage[]) {
  const timed = items.filter(item => item.ms_p95 !== null && item.ms_max !== null);
  const known = (ms: number) => timed.reduce((total, { count, ms_p95, ms_max }) => total + (ms_max! <= ms ? count : ms_p95! <= ms ? Math.ceil(count * 0.95) : 0), 0);
  const times = timed.flatMap(({ ms_p95, ms_max }) => [ms_p95!, ms_max!]).sort((a, b) => a - b);
  return times.find(ms => known(ms) >= 0.95 * sum(timed));
}
const within95Of = (items: Usage[], days: number): Bar[] => barsOf(items, days).map(({ day }) => ({ day, value: within95(items.filter(item => item.day.startsWith(day))) ?? 0 }));
const msText = (ms: number | undefined) => (ms === undefined ? '' : t('ms', { n: ms }));

function Ranking({ title, rows }: { title: string; rows: [string, Usage[]][] }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={title}>
        <table>
          <thead><tr><th scope="col">{title}</th><th scope="col" class="number">{t('usage.calls')}</th><th scope="col" class="number">{t('usage.errors')}</th><th scope="col" class="number">{t('usage.p95')}</th><th scope="col" class="number">{t('usage.cost')}</th></tr></thead>
          <tbody>{rows.map(([name, items]) => <tr key={name}><th scope="row">{name}</th><td class="number">{formatNumber(sum(items))}</td><td class="number">{formatNumber(sum(items.filter(isBad)))}</td><td class="number">{msText(within95(items))}</td><td class="number">{formatNumber(cost(items))}</td></tr>)}</tbody>
        </table>
      </div>
    </section>
  );
}

const grouped = (items: Usage[], by: (item: Usage) => string): [string, Usage[]][] =>
  [...Map.groupBy(items, by)].sort(([, a], [, b]) => sum(b) - sum(a));

export default function UsageScreen() {
  const { query: where } = place.value;
  const days = Number(where.get('days') ?? 30), connection = where.get('connection') ?? '';
  const set = (change: object) => setQuery({ days: String(days), connection, ...change });
  const usage = useLoad(async signal => {
    const [tools, tokens] = await Promise.all([
      api.get<List<Usage>>(`/api/usage${query({ days })}`, signal), api.get<List<Usage>>(`/api/usage${query({ days, by: 'token' })}`, signal),
      loadConnections(signal),
    ]);
    await loadTokensOf(tokens.items, signal);
    return { all: tools.items, byToken: tokens.items };
  }, days);
  return (
    <Page title={t('usage.title')}>
      <div class="filters">
        <Select label={t('usage.time')} value={String(days)} set={value => set({ days: value })} options={([7, 30, 90] as const).map(n => [String(n), t('usage.days', { n })])} />
        <Select label={t('connection.title')} value={connection} set={value => set({ connection: value })} options={[['', t('all')], ...(connections.value ?? []).map(({ id, name }) => [String(id), name] as [string, string])]} />
      </div>
      <Shown of={usage}>{({ all, byToken }) => {
        const own = (item: Usage) => item.action.startsWith('tool.') && (!connection || String(item.connection_id) === connection);
        const items = all.filter(own);
        if (!items.length) return <Empty action={<a href="#/connections">{t('connections.title')}</a>}>{t('usage.empty')}</Empty>;
        const bad = sum(items.filter(isBad));
        const measured = items.filter(item => item.ms_total !== null);
        return (
          <>
            <dl class="grid">
              <div class="card"><dt class="soft">{t('usage.calls')}</dt><dd class="big">{formatNumber(sum(items))}</dd></div>
              <div class="card"><dt class="soft">{t('usage.errors')}</dt><dd class="big">{formatNumber(bad)} <span class="soft small">{formatNumber(Math.round((bad / sum(items)) * 1000) / 10)} %</span></dd></div>
              {measured.length > 0 && <div class="card"><dt class="soft">{t('usage.latency')}</dt><dd class="big">{t('ms', { n: Math.round(measured.reduce((total, item) => total + (item.ms_total ?? 0), 0) / Math.max(1, sum(measured))) })}</dd></div>}
              {measured.length > 0 && <div class="card"><dt class="soft">{t('usage.p95')}</dt><dd class="big">{msText(within95(items))}</dd></div>}
              <div class="card"><dt class="soft">{t('usage.cost')}</dt><dd class="big">{formatNumber(cost(items))} <span class="soft small">{t('usage.cost.each', { n: Math.round(cost(items) / sum(items)) })}</span></dd></div>
            </dl>
            <Chart title={t('usage.chart')} bars={barsOf(items, days)} valueLabel={t('usage.calls')} badLabel={t('usage.errors')} />
            {measured.length > 0 && <Chart title={t('usage.chart.latency')} bars={latencyOf(items, days)} valueLabel={t('usage.latency')} unit=" ms" />}
            {measured.length > 0 && <Chart title={t('usage.chart.p95')} bars={within95Of(items, days)} valueLabel={t('usage.p95')} unit=" ms" />}
            <Chart title={t('usage.chart.cost')} bars={costOf(items, days)} valueLabel={t('usage.cost')} />
            <p class="soft small">{t('usage.cost.help')}</p>
            <Ranking title={t('usage.tools')} rows={grouped(items, item => item.action.slice(5))} />
            <Ranking title={t('connections.title')} rows={grouped(items, item => connectionName(item.connection_id))} />
            <Ranking title={t('client.token')} rows={grouped(byToken.filter(own), item => `${tokenName(item.token_id)} (${connectionName(item.connection_id)})`)} />
            {bad > 0 && <Ranking title={t('usage.outcomes')} rows={grouped(items.filter(isBad), item => named('outcome', item.outcome))} />}
          </>
        );
      }}</Shown>
    </Page>
  );
}
