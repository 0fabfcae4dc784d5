// Changed lines: "-" and "+" at their beginning, as the server writes them; or two texts, one taken out and one put in.
export function Diff({ text, label }: { text: string; label: string }) {
  return (
    <div class="diff" tabIndex={0} role="region" aria-label={label}>
      {text.split('\n').map((line, i) => (line.startsWith('+') ? <ins key={i}>{line}</ins> : line.startsWith('-') ? <del key={i}>{line}</del> : <span key={i}>{line || ' '}</span>))}
    </div>
  );
}

const lines = (sign: string, text: string) => text.split('\n').map(line => `${sign} ${line}`).join('\n');

export const replaced = (before: string, after: string) => [before && lines('-', before), after && lines('+', after)].filter(Boolean).join('\n');
