import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CONFIG_KEYS, type ConfigKey, configSchema } from '../../src/config/index.ts';

const reference = (name: string): string =>
  fileURLToPath(new URL(`../../../../docs/reference/${name}`, import.meta.url));
const isUpdate = process.env.UPDATE_REFERENCE === '1';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function row({ path, variable, description, default: fallback, choices, secret }: ConfigKey): string {
  const value = Array.isArray(fallback) ? fallback.join(',') : String(fallback ?? '');
  const notes = [
    choices.length === 0 ? '' : ` One of ${choices.map((choice) => `\`${choice}\``).join(', ')}.`,
    secret ? ' Secret: better in the environment than in the file.' : '',
  ].join('');
  return `| \`${path}\` | \`${variable}\` | ${value === '' ? '' : `\`${cell(value)}\``} | ${cell(description + notes)} |`;
}

function page(): string {
  return [
    '# Configuration',
    '',
    'Made from the schema of the configuration; a test keeps it true. `certwright serve --config FILE` reads a YAML file with these keys (nested at the dots); each key is also an environment variable, and `--set key=value` sets it on the command line. Flags win over the environment, the environment over the file. Lists in variables and flags are separated by commas. Relative paths in the file are relative to the file, all others to the working directory. Unknown keys and unknown `CERTWRIGHT_` variables are errors; `certwright config check` lists every problem at once. An empty configuration is a safe local set-up.',
    '',
    '| key | variable | default | meaning |',
    '|---|---|---|---|',
    ...CONFIG_KEYS.map(row),
    '',
  ].join('\n');
}

test('the published schema is the one that is used (UPDATE_REFERENCE=1 writes it)', () => {
  const file = reference('config.schema.json');
  if (isUpdate) writeFileSync(file, `${JSON.stringify(configSchema(), null, 2)}\n`);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), configSchema());
});

test('docs/reference/configuration.md lists every key (UPDATE_REFERENCE=1 writes it)', () => {
  const file = reference('configuration.md');
  if (isUpdate) writeFileSync(file, page());
  assert.equal(readFileSync(file, 'utf8'), page());
});
