import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type ApiRig, startApi } from '../../support/api-v2.ts';
import { agreement, dvOrder, privateOrder } from '../../support/requests.ts';

const RUNS = 150;

/** Text that breaks things: lengths, controls, bidi, markup, numbers in disguise. */
const nastyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', ' ', '\0', '\ud800', '*.', '*.*.a', '..', 'xn--', 'xn--a', '127.0.0.1', '::1', 'a'.repeat(5_000)),
  fc.constantFrom(
    '<script>',
    "' or 1=1 --",
    '{{7*7}}',
    '../../etc',
    '\u202e.example.com',
    'аpple.example.com',
    '1e999',
  ),
);
const nasty = fc.oneof(nastyText, fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(null, true, -1, 1e308, [], {}));

/** Paths of all members of a document. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return [[...path], ...Object.entries(value).flatMap(([name, member]) => pathsOf(member, [...path, name]))];
}

/** The document with one member replaced. */
function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === step ? replaced(item, rest, by) : item));
  const members = Object.entries(typeof value === 'object' && value !== null ? value : {});
  return Object.fromEntries(
    members.map(([name, member]) => [name, name === step ? replaced(member, rest, by) : member]),
  );
}

const mutated = (document: unknown) =>
  fc.tuple(fc.constantFrom(...pathsOf(document)), nasty).map(([path, by]) => replaced(document, path, by));

describe('hostile bodies', () => {
  let api: ApiRig;
  before(async () => {
    api = await startApi();
  });
  after(() => api.close());

  const ssl = dvOrder('hostile.example.com', {
    organization: { organizationNumber: '1', preVettingToken: 'x' },
    certificate: { domain: 'hostile.example.com', additionalDomains: ['b.example.com'], autoSecureWww: true },
    subscription: { validityYears: 1, autoRenew: true, renewBeforeDays: 30 },
    technicalPointOfContact: { name: 'T', email: 't@example.com' },
    customFields: [{ fieldId: '1', value: 'x' }],
    tags: ['a'],
    recipientEmails: ['r@example.com'],
    emailNotifications: 'all',
    requestId: 'mine',
    remarks: 'text',
    csr: 'MIIB',
    agreement,
  });
  const cases: readonly (readonly [string, string, unknown])[] = [
    ['POST', '/ssl-certificates', ssl],
    [
      'POST',
      '/private-pki-certificates',
      privateOrder('a.internal', { additionalHosts: ['b', '10.0.0.1'], caProfileId: '1' }),
    ],
    [
      'POST',
      '/domains',
      { domainName: 'hostile.example.net', organizationId: '1', dcvMethod: 'dns-txt', mode: 'create' },
    ],
  ];
  for (const [method, path, document] of cases) {
    it(`${method} ${path}: an answer of the contract, never a bug`, async () => {
      await fc.assert(
        fc.asyncProperty(mutated(document), async (body) => {
          const payload = JSON.stringify(body) ?? 'null';
          const reply = await api.call(method, path, { headers: { 'content-type': 'application/json' }, payload });
          assert.ok(reply.status < 500, `${reply.status} ${payload.slice(0, 300)}`);
        }),
        { numRuns: RUNS },
      );
      assert.deepEqual(api.failures, []);
    });
  }

  it('control characters are refused in every text member, line ends only where a text may have lines', async () => {
    const texts: readonly (readonly [string, boolean])[] = [
      ['requestor.name', false],
      ['requestor.designation', false],
      ['technicalPointOfContact.name', false],
      ['organization.preVettingToken', false],
      ['requestId', false],
      ['tags.0', false],
      ['agreement.signerName', false],
      ['agreement.signerPlace', false],
      ['customFields.0.fieldId', false],
      ['customFields.0.value', true],
      ['remarks', true],
    ];
    const order = async (path: string, by: string) => {
      const document = { ...ssl, requestor: { ...ssl.requestor, designation: 'x' }, saveAsDraft: true };
      return api.call('POST', '/ssl-certificates', { body: replaced(document, path.split('.'), by) });
    };
    for (const [path, hasLines] of texts) {
      for (const character of ['\0', '\u0007', '\u001b', '\u007f']) {
        assert.equal((await order(path, `a${character}b`)).status, 400, `${path} ${JSON.stringify(character)}`);
      }
      assert.equal((await order(path, 'a\r\nb')).status, hasLines ? 201 : 400, path);
    }
  });

  it('on an order: an answer of the contract, never a bug', async () => {
    const order = await api.call('POST', '/ssl-certificates', { body: dvOrder('calls.example.com') });
    const base = `/ssl-certificates/${order.json.orderId}`;
    const calls = fc.oneof(
      fc.tuple(fc.constant('PUT'), fc.constant('/csr'), mutated({ csr: 'MIIB', attested: false })),
      fc.tuple(fc.constant('POST'), fc.constant('/agreement'), mutated({ agreement })),
      fc.tuple(
        fc.constant('POST'),
        fc.constant('/dcv/verify'),
        mutated({ domain: 'calls.example.com', method: 'dns-txt' }),
      ),
      fc.tuple(fc.constant('POST'), fc.constant('/revoke'), mutated({ reason: 'superseded', note: 'x' })),
    );
    await fc.assert(
      fc.asyncProperty(calls, async ([method, suffix, body]) => {
        const payload = JSON.stringify(body) ?? 'null';
        const reply = await api.call(method, base + suffix, {
          headers: { 'content-type': 'application/json' },
          payload,
        });
        assert.ok(reply.status < 500, `${reply.status} ${payload.slice(0, 300)}`);
      }),
      { numRuns: RUNS },
    );
    const parameters = fc.dictionary(
      fc.constantFrom(
        'search',
        'limit',
        'offset',
        'page',
        'size',
        'dcvStatus',
        'dcvMethod',
        'sortBy',
        'fromDate',
        'toDate',
        'organizationId',
        'groupNumber',
        'exactMatch',
      ),
      nastyText.filter((text) => text.isWellFormed()),
    );
    await fc.assert(
      fc.asyncProperty(parameters, async (query) => {
        const reply = await api.call('GET', `/domains?${new URLSearchParams(query)}`);
        assert.ok(reply.status < 500, JSON.stringify(query));
      }),
      { numRuns: RUNS },
    );
    assert.deepEqual(api.failures, []);
  });
});
