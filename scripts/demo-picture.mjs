// Runs `certwright demo --once` and draws what it printed as docs/pictures/demo.svg, the picture of the README.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'certwright-picture-'));
const demo = spawnSync(process.execPath, [join(root, 'packages/cli/src/main.ts'), 'demo', '--once'], {
  cwd: folder,
  encoding: 'utf8',
});
rmSync(folder, { recursive: true, force: true });
if (demo.status !== 0) {
  process.stderr.write(demo.stdout + demo.stderr);
  process.exit(1);
}

const WIDTH = 128;
const LINE = 19;
const CHARACTER = 8.4;
// the folder of this run means nothing to a reader
const text = demo.stdout.replaceAll(folder, '.').trimEnd();
const lines = ['$ npm run demo -- --once', '', ...text.split('\n')].map((line) =>
  line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line,
);
const escapeXml = (value) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const width = Math.ceil(WIDTH * CHARACTER) + 48;
const height = lines.length * LINE + 64;
const rows = lines.map((line, index) => {
  const y = 58 + index * LINE;
  const tick = /^(\s*)✔(.*)$/.exec(line);
  const body =
    tick === null ? escapeXml(line) : `${escapeXml(tick[1])}<tspan fill="#3fb950">✔</tspan>${escapeXml(tick[2])}`;
  return `<text x="24" y="${y}" xml:space="preserve">${body}</text>`;
});
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Output of npm run demo">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
<circle cx="24" cy="20" r="6" fill="#ff5f57"/><circle cx="44" cy="20" r="6" fill="#febc2e"/><circle cx="64" cy="20" r="6" fill="#28c840"/>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="#e6edf3">
${rows.join('\n')}
</g>
</svg>
`;
writeFileSync(join(root, 'docs/pictures/demo.svg'), svg);
