/** `POST /oauth/token`: the five ways to get a token, and refresh (contract section 2). Errors are those of RFC 6749. */
import type { Core, DomainError, Origin, Outcome, TokenPair } from '@certwright/core';
import { fail, ok, type Result } from '@certwright/pki';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { parseJsonBody } from '../../../http/json-body.ts';
import { CHANNEL, ORIGINATOR } from '../caller.ts';
import { JSON_TYPE } from '../operation.ts';
import { refusalOf, sendRefusal } from '../problem.ts';
import { PROBLEMS } from '../route.ts';
import { KeyTokenRequest, OAuthError, TokenRequest, TokenResponse } from '../schemas/accounts.ts';
import { ref } from '../schemas/common.ts';

type OAuthCode = Static<typeof OAuthError>['error'];

interface OAuthRefusal {
  readonly status: 400 | 401 | 403;
  readonly error: OAuthCode;
  readonly description: string;
}

/** Members of the request by name; text without NUL, blank members left out. */
type Members = ReadonlyMap<string, string>;

const BODY_LIMIT = 16 * 1024;
const MAX_VALUE = 1_024;
const FORM = 'application/x-www-form-urlencoded';
const JSON_BODY = 'application/json';
const BASIC = /^Basic +([A-Za-z0-9+/=_-]+) *$/i;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;
const HEX_SHA256 = /^[0-9a-f]{64}$/i;
const TXN = /^[A-Za-z0-9_-]{1,64}$/;

const invalidRequest = (description: string) =>
  fail<OAuthRefusal>({ status: 400, error: 'invalid_request', description });
const invalidClient = (description: string) =>
  fail<OAuthRefusal>({ status: 401, error: 'invalid_client', description });

/** Collects members; one that comes twice is an error (RFC 6749 section 3.2). */
function collect(entries: Iterable<readonly [string, unknown]>): Result<Members, OAuthRefusal> {
  const members = new Map<string, string>();
  for (const [name, value] of entries) {
    if (typeof value !== 'string' || value === '') continue;
    if (members.has(name)) return invalidRequest(`${name} must not be repeated`);
    if (value.length > MAX_VALUE || value.includes('\0') || !value.isWellFormed()) {
      return invalidRequest(`${name} is not valid`);
    }
    members.set(name, value);
  }
  return ok(members);
}

function parseForm(body: Uint8Array): Result<Members, OAuthRefusal> {
  return collect(new URLSearchParams(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')));
}

function parseJson(body: Uint8Array): Result<Members, OAuthRefusal> {
  const parsed = parseJsonBody(body);
  if (!parsed.ok) return invalidRequest(parsed.error);
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return invalidRequest('The body must be a JSON object');
  }
  return collect(Object.entries(value));
}

/** User and password of Basic authentication are form-encoded (RFC 6749 section 2.3.1); plain ones are taken as well. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

interface Client {
  readonly id: string;
  readonly secret: string;
}

/** The client by Basic header or by body; both must agree when both are there. */
function clientOf(authorization: string | undefined, members: Members): Result<Client, OAuthRefusal> {
  const id = members.get('client_id');
  const secret = members.get('client_secret');
  if (authorization === undefined) {
    if (id === undefined) return invalidRequest('client_id missing');
    if (secret === undefined) return invalidRequest('client_secret missing');
    return ok({ id, secret });
  }
  const encoded = BASIC.exec(authorization)?.[1];
  const decoded = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const client = { id: formDecoded(decoded.slice(0, colon)), secret: formDecoded(decoded.slice(colon + 1)) };
  if (colon < 1 || decoded.length > 2 * MAX_VALUE || `${client.id}${client.secret}`.includes('\0')) {
    return invalidClient('The Authorization header is not that of Basic authentication');
  }
  if ((id !== undefined && id !== client.id) || (secret !== undefined && secret !== client.secret)) {
    return invalidRequest('The client in the body differs from the one in the Authorization header');
  }
  return client.secret === '' ? invalidRequest('client_secret missing') : ok(client);
}

type Exchange = (core: Core, origin: Origin) => Outcome<TokenPair>;

function formExchange(members: Members, authorization: string | undefined): Result<Exchange, OAuthRefusal> {
  const grant = members.get('grant_type');
  if (grant === undefined) return invalidRequest('grant_type missing');
  if (grant !== 'client_credentials' && grant !== 'refresh_token') {
    return fail({
      status: 400,
      error: 'unsupported_grant_type',
      description: 'Supported grants are client_credentials and refresh_token',
    });
  }
  const client = clientOf(authorization, members);
  if (!client.ok) return client;
  const { id, secret } = client.value;
  if (grant === 'client_credentials') {
    return ok((core, origin) => core.credentials.tokenByClientSecret(origin, id, secret));
  }
  const refreshToken = members.get('refresh_token');
  if (refreshToken === undefined) return invalidRequest('refresh_token missing');
  return ok((core, origin) => core.credentials.refresh(origin, id, secret, refreshToken));
}

function signedKeyExchange(members: Members): Result<Exchange, OAuthRefusal> {
  const accountNumber = members.get('accountNumber');
  const authKey = members.get('authKey');
  const ts = members.get('ts');
  const txn = members.get('txn');
  if (accountNumber === undefined || authKey === undefined || ts === undefined || txn === undefined) {
    return invalidRequest('accountNumber, authKey, ts and txn are needed');
  }
  const signedAt = RFC3339.test(ts) ? Date.parse(ts) : Number.NaN;
  if (Number.isNaN(signedAt)) return invalidRequest('ts is not an RFC 3339 time with offset');
  if (!HEX_SHA256.test(authKey)) return invalidRequest('authKey is not a hex SHA-256');
  if (!TXN.test(txn)) return invalidRequest('txn is not a number of up to 64 digits');
  return ok((core, origin) => core.credentials.tokenBySignedKey(origin, { accountNumber, authKey, ts, signedAt, txn }));
}

function jsonExchange(members: Members): Result<Exchange, OAuthRefusal> {
  const grant = members.get('grant_type');
  if (grant !== undefined && grant !== 'client_credentials') {
    return fail({
      status: 400,
      error: 'unsupported_grant_type',
      description: 'A JSON request is for client_credentials only',
    });
  }
  if (members.has('authKey') || members.has('accountNumber')) return signedKeyExchange(members);
  const appCode = members.get('appCode');
  const accessKey = members.get('accessKey');
  if (appCode === undefined || accessKey === undefined) {
    return invalidRequest('A JSON request needs accountNumber, authKey, ts and txn, or appCode and accessKey');
  }
  return ok((core, origin) => core.credentials.tokenByAccessKey(origin, appCode, accessKey));
}

function sendOAuthError(reply: FastifyReply, { status, error, description }: OAuthRefusal): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Basic realm="certinext"');
  return reply
    .code(status)
    .header('content-type', JSON_TYPE)
    .send(JSON.stringify({ error, error_description: description }));
}

/** Errors of the core that RFC 6749 has words for; the rest are problems like anywhere else. */
function oauthRefusal({ code, detail: description }: DomainError): OAuthRefusal | undefined {
  switch (code) {
    case 'credential.invalid':
      return { status: 401, error: 'invalid_client', description };
    case 'credential.wrongMode':
      return { status: 403, error: 'unauthorized_client', description };
    case 'grant.invalid':
      return { status: 400, error: 'invalid_grant', description };
    case 'request.invalid':
      return { status: 400, error: 'invalid_request', description };
    default:
      return undefined;
  }
}

function tokenDocument({ accessToken, refreshToken, expiresIn }: TokenPair): Static<typeof TokenResponse> {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    refresh_token: refreshToken,
    tokenDetails: { accessToken, tokenType: 'Bearer', expiresIn, refreshToken },
  };
}

/** Registers the token endpoint with its own body parsers; for a scope of its own. */
export function addTokenEndpoint(app: FastifyInstance, core: Core): void {
  app.removeAllContentTypeParsers();
  // the bytes are read in the handler: an unreadable body is an OAuth error too
  for (const type of [FORM, JSON_BODY]) {
    app.addContentTypeParser<Buffer>(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }

  app.route({
    method: 'POST',
    url: '/oauth/token',
    bodyLimit: BODY_LIMIT,
    schema: {
      operationId: 'issueToken',
      tags: ['Authentication'],
      summary: 'Issue or refresh a bearer token',
      description:
        'Form: client_credentials or refresh_token, the client in the body or by HTTP Basic. JSON: a signed key proof, or appCode and accessKey.',
      security: [{}, { clientBasic: [] }],
      body: { content: { [FORM]: { schema: ref(TokenRequest) }, [JSON_BODY]: { schema: ref(KeyTokenRequest) } } },
      response: {
        200: ref(TokenResponse),
        400: ref(OAuthError),
        401: ref(OAuthError),
        403: ref(OAuthError),
        ...PROBLEMS,
      },
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      if (!exchange.ok) return sendOAuthError(reply, exchange.error);
      const origin: Origin = { channel: CHANNEL, requestId: request.id, ip: request.ip, originator: ORIGINATOR };
      const pair = await exchange.value(core, origin);
      if (pair.ok) return reply.header('content-type', JSON_TYPE).send(JSON.stringify(tokenDocument(pair.value)));
      const refused = oauthRefusal(pair.error);
      return refused === undefined
        ? sendRefusal(request, reply, refusalOf(pair.error))
        : sendOAuthError(reply, refused);
    },
  });
}

function exchangeOf(request: FastifyRequest): Result<Exchange, OAuthRefusal> {
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const isJson = request.headers['content-type']?.trim().toLowerCase().startsWith(JSON_BODY) === true;
  const members = isJson ? parseJson(body) : parseForm(body);
  if (!members.ok) return members;
  return isJson ? jsonExchange(members.value) : formExchange(members.value, request.headers.authorization);
}
