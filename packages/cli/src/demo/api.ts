/** The calls of the main job, as any client of the API v2 makes them; answers are read as far as the demo shows them. */
import type { ReadyLine } from '@certwright/server';
import type { HttpAnswer, HttpClient } from './http-client.ts';

type Json = Readonly<Record<string, unknown>>;

export interface DemoApi {
  token(): Promise<{ readonly expiresIn: number }>;
  products(): Promise<readonly { readonly code: string; readonly name: string; readonly typeId: string }[]>;
  createOrder(domain: string): Promise<{ readonly orderId: string; readonly status: string; readonly product: string }>;
  challenge(
    orderId: string,
  ): Promise<{ readonly recordName: string; readonly value: string; readonly expires: string }>;
  publishTxt(name: string, value: string): Promise<readonly string[]>;
  verify(
    orderId: string,
    domain: string,
  ): Promise<{ readonly status: string; readonly verifiedAt: string; readonly resolver: string }>;
  submitCsr(orderId: string, csr: string): Promise<void>;
  acceptAgreement(orderId: string): Promise<void>;
  track(
    orderId: string,
  ): Promise<{ readonly status: string; readonly certificateState: string; readonly reason: string }>;
  certificate(orderId: string): Promise<{ readonly certificatePem: string; readonly chainPem: readonly string[] }>;
  certificateAs(orderId: string, format: 'pem' | 'der'): Promise<Buffer>;
  revoke(orderId: string, reason: string): Promise<void>;
}

const REQUESTOR = { name: 'Certwright demo', email: 'demo@example.com' };

/** Makes the client. Every call rejects with a sentence when the answer is not the one that the contract promises. */
export function createDemoApi(http: HttpClient, ready: ReadyLine): DemoApi {
  const base = `${ready.baseUrl}/api/certinext/v2`;
  let authorization = '';

  async function call(method: 'GET' | 'POST' | 'PUT', path: string, body?: Json): Promise<HttpAnswer> {
    const answer = await http.send(`${base}${path}`, {
      method,
      headers: {
        authorization,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return expectSuccess(`${method} ${path}`, answer);
  }

  return {
    async token() {
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: ready.clientId,
        client_secret: ready.clientSecret,
      });
      const answer = await http.send(`${ready.baseUrl}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      });
      const tokens = readObject(expectSuccess('POST /oauth/token', answer));
      authorization = `Bearer ${text(tokens, 'access_token')}`;
      return { expiresIn: Number(tokens.expires_in) };
    },
    async products() {
      const categories = objects(readObject(await call('GET', '/catalog/products')), 'products');
      return categories
        .flatMap((category) => objects(category, 'products'))
        .map((product) => ({
          code: text(product, 'productCode'),
          name: text(product, 'productName'),
          typeId: text(product, 'productTypeID'),
        }));
    },
    async createOrder(domain) {
      const order = readObject(
        await call('POST', '/ssl-certificates', {
          productVariant: 'dv',
          requestor: REQUESTOR,
          certificate: { domain, autoSecureWww: false },
          subscription: { validityYears: 1, autoRenew: false },
          emailNotifications: 'none',
        }),
      );
      return {
        orderId: text(order, 'orderId'),
        status: text(order, 'status'),
        product: text(order, 'resolvedProductCode'),
      };
    },
    async challenge(orderId) {
      const challenge = readObject(await call('GET', `/ssl-certificates/${orderId}/dcv?method=dns-txt`));
      return {
        recordName: text(challenge, 'dnsHost'),
        value: text(challenge, 'token'),
        expires: text(challenge, 'tokenExpiry'),
      };
    },
    async publishTxt(name, value) {
      const answer = await http.send(`${ready.control}/dns/records`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, type: 'TXT', values: [value] }),
      });
      const { values } = readObject(expectSuccess('PUT /dns/records', answer));
      return Array.isArray(values) ? values.map(String) : [];
    },
    async verify(orderId, domain) {
      const result = readObject(
        await call('POST', `/ssl-certificates/${orderId}/dcv/verify`, { domain, method: 'dns-txt' }),
      );
      const [perspective] = isObject(result.diagnostics) ? objects(result.diagnostics, 'perspectives') : [];
      if (perspective === undefined) throw new Error('the answer does not say who was asked');
      return {
        status: text(result, 'status'),
        verifiedAt: text(result, 'verifiedAt'),
        resolver: text(perspective, 'resolverIp'),
      };
    },
    async submitCsr(orderId, csr) {
      await call('PUT', `/ssl-certificates/${orderId}/csr`, { csr, attested: true });
    },
    async acceptAgreement(orderId) {
      const agreement = { signerName: REQUESTOR.name, signerPlace: 'localhost', accepted: true };
      await call('POST', `/ssl-certificates/${orderId}/agreement`, { agreement });
    },
    async track(orderId) {
      const order = readObject(await call('GET', `/ssl-certificates/${orderId}`));
      const revocation = isObject(order.revocation) ? order.revocation : {};
      return {
        status: text(order, 'status'),
        certificateState: text(order, 'certificateState'),
        reason: typeof revocation.reason === 'string' ? revocation.reason : '',
      };
    },
    async certificate(orderId) {
      const file = readObject(await call('GET', `/ssl-certificates/${orderId}/certificate`));
      const { chainPem } = file;
      return {
        certificatePem: text(file, 'certificatePem'),
        chainPem: Array.isArray(chainPem) ? chainPem.map(String) : [],
      };
    },
    async certificateAs(orderId, format) {
      return (await call('GET', `/ssl-certificates/${orderId}/certificate?format=${format}`)).body;
    },
    async revoke(orderId, reason) {
      await call('POST', `/ssl-certificates/${orderId}/revoke`, { reason, note: 'end of the demo' });
    },
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The answer itself when its status is 2xx; else an error that says what the server said. */
function expectSuccess(what: string, answer: HttpAnswer): HttpAnswer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw new Error(`${what} answers ${answer.status}: ${answer.body.toString('utf8').slice(0, 500)}`);
}

function readObject(answer: HttpAnswer): Json {
  const value: unknown = JSON.parse(answer.body.toString('utf8'));
  if (!isObject(value)) throw new Error('the answer is not a JSON object');
  return value;
}

function text(object: Json, member: string): string {
  const value = object[member];
  if (typeof value !== 'string' || value === '') throw new Error(`the answer has no ${member}`);
  return value;
}

function objects(object: Json, member: string): readonly Json[] {
  const value = object[member];
  if (!Array.isArray(value) || !value.every(isObject)) throw new Error(`the answer has no list ${member}`);
  return value;
}
