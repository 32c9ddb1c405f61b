import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONFIG_KEYS } from '../../packages/server/src/config/schema.ts';
import {
  ERROR_TABLE,
  type ErrorEntry,
  PRIVATE_PKI_EXCEPTIONS,
} from '../../packages/server/src/faces/v2/error-table.ts';
import { UNBUILT } from '../../packages/server/src/faces/v2/operations/unbuilt.ts';
import { readPage } from './markdown.ts';

const client = readPage('docs/guide/api-v2.md');

/** Refusals that the face makes before it asks the core: status and slug, which is the code as well. */
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
  it('has the errors of the server and no other, with their status and code', () => {
    const documented = [...client.text.matchAll(/^\| (\d{3}) \| (\S+) \| (\S+) \| [^|]+ \| [^|]+ \|$/gm)].map(
      ([, status, code, slug]) => `${status} ${slug} ${code}`,
    );
    const entries: readonly ErrorEntry[] = [...Object.values(ERROR_TABLE), ...Object.values(PRIVATE_PKI_EXCEPTIONS)];
    const known = new Set([
      ...BEFORE_THE_CORE.map((entry) => `${entry} ${entry.split(' ')[1]}`),
      ...entries.map(({ status, slug, ems = slug }) => `${status} ${slug} ${ems}`),
    ]);
    assert.deepEqual(documented.toSorted(), [...known].toSorted());
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
    const wrong = [
      ...set,
      ...named.filter((path) => sections.has(path.split('.')[0]) && !/\.db$|[fF]ailed$/.test(path)),
    ].filter((path) => !paths.has(path));
    assert.deepEqual(wrong, []);
    const inText = [...text.matchAll(/\bCERTWRIGHT_[A-Z_]+\b/g)].map(([variable]) => variable);
    assert.deepEqual(
      inText.filter((variable) => !variables.has(variable)),
      [],
    );
  });
});
