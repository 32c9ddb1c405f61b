/** Holds answers against the published contract of API v2. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';

const FILE = new URL('../../../../docs/reference/contract/certinext-v2.openapi.yaml', import.meta.url);

type Node = Readonly<Record<string, unknown>>;

export interface Exchange {
  readonly method: string;
  /** Request path with or without query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export interface Contract {
  /** Operation ids of the contract with method and path template. */
  readonly operations: readonly { readonly id: string; readonly method: string; readonly template: string }[];
  /** Fails unless status, headers and body are what the contract says of the operation. */
  check(exchange: Exchange): void;
  /** Fails unless the value fits the named schema. */
  checkSchema(name: string, value: unknown): void;
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

function child(node: unknown, ...steps: readonly string[]): Node | undefined {
  let at: unknown = node;
  for (const step of steps) at = isNode(at) ? at[step] : undefined;
  return isNode(at) ? at : undefined;
}

const pointer = (...steps: readonly string[]): string =>
  `#/${steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;

/** Reads the contract and compiles its schemas as they are needed. */
export function loadContract(): Contract {
  const document: unknown = parse(readFileSync(FILE, 'utf8'));
  assert.ok(isNode(document));
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema(document, 'contract');
  const compiled = new Map<string, ValidateFunction>();

  function assertFits(reference: string, value: unknown, what: string): void {
    let validate = compiled.get(reference);
    if (validate === undefined) {
      validate = ajv.compile({ $ref: `contract${reference}` });
      compiled.set(reference, validate);
    }
    if (!validate(value)) {
      assert.fail(`${what} breaks the contract: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 1)}`);
    }
  }

  const operations = Object.entries(child(document, 'paths') ?? {}).flatMap(([template, item]) =>
    Object.entries(isNode(item) ? item : {}).flatMap(([method, operation]) =>
      isNode(operation) && typeof operation.operationId === 'string'
        ? [{ id: operation.operationId, method: method.toUpperCase(), template }]
        : [],
    ),
  );
  const matchers = operations
    .map((operation) => ({
      ...operation,
      pattern: new RegExp(`^${operation.template.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
      fixed: operation.template.replaceAll(/\{[^}]+\}/g, '').length,
    }))
    // templates with more fixed text win, as in a router
    .sort((a, b) => b.fixed - a.fixed);

  function checkProblem({ method, path, status, body, headers }: Exchange): void {
    const what = `${method} ${path} → ${status}`;
    assert.equal(headers['content-type'], 'application/problem+json', what);
    const problem: unknown = JSON.parse(body);
    assertFits(pointer('components', 'schemas', 'Problem'), problem, what);
    assert.ok(isNode(problem));
    assert.equal(problem.status, status, what);
    assert.equal(problem.instance, path.split('?')[0], what);
    assert.match(String(problem.type), /^https:\/\/api\.certinext\.io\/errors\/[a-z0-9-]+$/, what);
    if (String(problem.code).startsWith('EMS-')) {
      assert.ok(String(problem.detail).startsWith(`[${problem.code}] `), `${what}: ${problem.detail}`);
    } else {
      assert.equal(`https://api.certinext.io/errors/${problem.code}`, problem.type, what);
    }
    if (status === 401) assert.match(String(headers['www-authenticate']), /^Bearer realm="certinext"/, what);
    if (status === 405) assert.ok(headers.allow, what);
    if (status === 429 || status === 503) assert.match(String(headers['retry-after']), /^\d+$/, what);
  }

  return {
    operations,

    checkSchema: (name, value) => assertFits(pointer('components', 'schemas', name), value, name),

    check(exchange) {
      const { method, path, status, headers, body } = exchange;
      const what = `${method} ${path} → ${status}`;
      assert.equal(headers['x-api-version'], '2.0.0', what);
      assert.equal(headers['x-content-type-options'], 'nosniff', what);
      assert.match(String(headers['cache-control']), /no-store/, what);

      const [bare = ''] = path.split('?');
      const operation = matchers.find((one) => one.method === method && one.pattern.test(bare));
      const steps = ['paths', operation?.template ?? '', method.toLowerCase(), 'responses', String(status)];
      const response = operation === undefined ? undefined : child(document, ...steps);
      const isOAuthError =
        operation?.id === 'issueToken' && status >= 400 && headers['content-type'] !== 'application/problem+json';
      if (status >= 400 && !isOAuthError) return checkProblem(exchange);
      assert.ok(response, `${what} is not in the contract`);

      const reference = typeof response.$ref === 'string' ? response.$ref.slice(2).split('/') : steps;
      const content = child(document, ...reference, 'content');
      if (content === undefined) return assert.equal(body, '', `${what} has no body`);
      const type = String(headers['content-type']).split(';')[0] ?? '';
      assert.ok(type in content, `${what}: ${type} is not in the contract`);
      if (type !== 'application/json') return;
      assertFits(pointer(...reference, 'content', type, 'schema'), JSON.parse(body), what);
    },
  };
}
