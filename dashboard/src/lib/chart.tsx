// A bar for each day, drawn as SVG, with the same figures as a table for who cannot see it.
import { formatDay, formatNumber, t } from './i18n';

export interface Bar { day: string; value: number; bad?: number }

const WIDTH = 640, HEIGHT = 180, LEFT = 76, BOTTOM = 22, TOP = 10;

// 1, 2 or 5 times a power of ten, so that the scale can be read
function niceMax(value: number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map(step => step * power).find(top => top >= value) ?? 10 * power;
}

export function Chart({ title, bars, badLabel, valueLabel, unit = '' }: { title: string; bars: Bar[]; badLabel?: string; valueLabel: string; unit?: string }) {
  const top = niceMax(Math.max(...bars.map(bar => bar.value), 1));
  const step = (WIDTH - LEFT) / bars.length, height = (value: number) => (value / top) * (HEIGHT - BOTTOM - TOP);
  const every = Math.ceil(bars.length / 6);
  return (
    <figure class="card">
      <figcaption><h2>{title}</h2></figcaption>
      <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" focusable="false">
        {[0, 0.5, 1].map(part => {
          const y = HEIGHT - BOTTOM - height(top * part);
          return <g key={part}><line class="rule" x1={LEFT} x2={WIDTH} y1={y} y2={y} /><text x={LEFT - 6} y={y + 4} text-anchor="end">{formatNumber(top * part)}{unit}</text></g>;
        })}
        {bars.map((bar, i) => {
          const x = LEFT + i * step + step * 0.15, width = step * 0.7, good = height(bar.value), bad = height(bar.bad ?? 0);
          return (
            <g key={bar.day}>
              <rect class="bar" x={x} width={width} y={HEIGHT - BOTTOM - good} height={good} />
              {!!bar.bad && <rect class="bar bad" x={x} width={width} y={HEIGHT - BOTTOM - bad} height={bad} />}
              {i % every === 0 && <text x={x + width / 2} y={HEIGHT - 6} text-anchor="middle">{formatDay(bar.day)}</text>}
            </g>
          );
        })}
      </svg>
      <details>
        <summary>{t('usage.table')}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead><tr><th scope="col">{t('usage.day')}</th><th scope="col" class="number">{valueLabel}</th>{badLabel && <th scope="col" class="number">{badLabel}</th>}</tr></thead>
            <tbody>{[...bars].reverse().map(bar => <tr key={bar.day}><th scope="row">{formatDay(bar.day)}</th><td class="number">{formatNumber(bar.value)}{unit}</td>{badLabel && <td class="number">{formatNumber(bar.bad ?? 0)}</td>}</tr>)}</tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
