import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONFIG_KEYS } from '../../packages/server/src/config/schema.ts';
import { ERROR_TABLE, PRIVATE_PKI_EXCEPTIONS } from '../../packages/server/src/faces/v2/error-table.ts';
import { UNBUILT } from '../../packages/server/src/faces/v2/operations/unbuilt.ts';
import { readPage } from './markdown.ts';

const client = readPage('docs/guide/api-v2.md');

/** Refusals that the face makes before it asks the core. */
const BEFORE_THE_CORE = [
  '405 method-not-allowed',
  '406 not-acceptable',
  '413 payload-too-large',
  '415 unsupported-media-type',
  '500 internal-error',
  '501 not-implemented',
  '503 service-unavailable',
];

describe('error table of the client guide', () => {
  const documented = client.text
    .split('\n')
    .map((line) => /^\| (\d{3}) \| (\S+) \| (\S+) \| .+ \| .* \|$/.exec(line))
    .filter((row) => row !== null)
    .map(([, status, code, slug]) => ({ key: `${status} ${slug}`, code }));

  it('has exactly the errors of the server', () => {
    const entries = [...Object.values(ERROR_TABLE), ...Object.values(PRIVATE_PKI_EXCEPTIONS)];
    const known = new Set([...BEFORE_THE_CORE, ...entries.map(({ status, slug }) => `${status} ${slug}`)]);
    assert.deepEqual(documented.map(({ key }) => key).toSorted(), [...known].toSorted());
  });

  it('has the codes of the server', () => {
    const codes = new Map<string, string>(
      Object.values(ERROR_TABLE).map((entry) => [
        `${entry.status} ${entry.slug}`,
        'ems' in entry ? entry.ems : entry.slug,
      ]),
    );
    for (const { key, code } of documented) assert.equal(code, codes.get(key) ?? key.split(' ')[1], key);
  });
});

describe('list of what answers 501', () => {
  it('is that of the server', () => {
    const documented = [...client.text.matchAll(/^- `(GET|POST|PUT|PATCH|DELETE) (\/\S+)`$/gm)].map(
      ([, method, path]) => `${method} ${path}`,
    );
    const unbuilt = UNBUILT.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    assert.deepEqual(documented.toSorted(), unbuilt.toSorted());
  });
});

describe('configuration in the operator’s guide', () => {
  const { text } = readPage('docs/guide/operate.md');

  it('names only keys and variables that exist', () => {
    const paths = new Set(CONFIG_KEYS.map(({ path }) => path));
    const variables = new Set([...CONFIG_KEYS.map(({ variable }) => variable), 'CERTWRIGHT_CONFIG']);
    const set = [...text.matchAll(/--set '?([A-Za-z.]+)=/g)].map((match) => match[1] ?? '');
    const named = [...text.matchAll(/`([a-z]+\.[a-zA-Z]+)`/g)].map((match) => match[1] ?? '');
    const sections = new Set([...paths].map((path) => path.split('.')[0]));
    const wrong = [...set, ...named.filter((path) => sections.has(path.split('.')[0]) && !path.endsWith('.db'))].filter(
      (path) => !paths.has(path),
    );
    assert.deepEqual(wrong, []);
    const inText = [...text.matchAll(/\bCERTWRIGHT_[A-Z_]+\b/g)].map(([variable]) => variable);
    assert.deepEqual(
      inText.filter((variable) => !variables.has(variable)),
      [],
    );
  });
});
