/**
 * Revocation status and CA certificates for everybody, plain HTTP allowed: `/ocsp/{ca}`, `/crl/{ca}.crl`, `/ca/{ca}.cer`.
 * Bodies are judged by content, whatever type the client names.
 */
import { hash } from 'node:crypto';
import { type Clock, type OcspAnswer, type StatusService, StoreUnavailableError } from '@certwright/core';
import { certsOnly, ocspRequestFromPath } from '@certwright/pki';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { cacheControl, type Freshness, httpDate, isCurrentCopy } from './cache-headers.ts';

export interface StatusFaceOptions {
  readonly status: Pick<StatusService, 'ocsp' | 'crl' | 'authority'>;
  /** Time of the domain: what thisUpdate and nextUpdate are compared with. */
  readonly clock: Clock;
  /** Notes an error that is no fault of the client. */
  readonly log: (error: unknown, request: FastifyRequest) => void;
}

const BODY_LIMIT = 64 * 1024;
const BODY_TYPE = 'application/octet-stream';
const OCSP_RESPONSE = 'application/ocsp-response';
/** A revocation makes a new CRL at once, so caches should ask again soon: a 304 costs little. */
const OCSP_MAX_AGE_MS = 3_600_000;
const CRL_MAX_AGE_MS = 5 * 60_000;
const CA_MAX_AGE_MS = 86_400_000;
const RETRY_SECONDS = '1';
const NOTHING = new Uint8Array();

interface CaParams {
  readonly ca: string;
}

interface FileParams {
  readonly file: string;
}

interface ShardParams extends CaParams {
  readonly file: string;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function sendText(reply: FastifyReply, code: number, text: string): FastifyReply {
  return reply.code(code).header('Cache-Control', 'no-store').type('text/plain; charset=utf-8').send(`${text}\n`);
}

const notFound = (reply: FastifyReply): FastifyReply => sendText(reply, 404, 'Not found');

/** The file name without the extension, or undefined when it has another. */
function stem(file: string, extension: string): string | undefined {
  return file.endsWith(extension) ? file.slice(0, -extension.length) : undefined;
}

function sendCacheable(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  body: Uint8Array,
  freshness: Freshness,
): FastifyReply {
  reply.headers({
    'Cache-Control': cacheControl(freshness.maxAgeMs),
    ETag: freshness.etag,
    Expires: httpDate(freshness.expires),
  });
  if (freshness.lastModified !== undefined) reply.header('Last-Modified', httpDate(freshness.lastModified));
  if (isCurrentCopy(request.headers, freshness.etag, freshness.lastModified)) return reply.code(304).send();
  return reply.type(type).send(asBuffer(body));
}

/** Registers the routes of the status face; mount it without prefix. */
export const faceStatus: FastifyPluginAsync<StatusFaceOptions> = async (app, options) => {
  // RFC 6960 names a type for requests, but clients send others, none, or ones that cannot be parsed
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.raw.method === 'POST') request.raw.headers['content-type'] = BODY_TYPE;
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BODY_TYPE, { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) =>
    done(null, body),
  );
  handleErrors(app, options);
  ocspRoutes(app, options);
  crlRoutes(app, options);
  authorityRoutes(app, options);
};

function handleErrors(app: FastifyInstance, { log }: StatusFaceOptions): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode >= 400 && statusCode < 500) return sendText(reply, statusCode, error.message);
    log(error, request);
    if (error instanceof StoreUnavailableError) {
      reply.header('Retry-After', RETRY_SECONDS);
      return sendText(reply, 503, 'Temporarily unavailable');
    }
    return sendText(reply, 500, 'Internal error');
  });
}

/** Every other method gets 405 with the list of those that are allowed. */
function refuseOtherMethods(app: FastifyInstance, url: string, allowed: readonly HTTPMethods[]): void {
  const allow = allowed.join(', ');
  app.route({
    method: app.supportedMethods.filter((method) => !allowed.includes(method)),
    url,
    schema: { hide: true },
    // before the body is read
    onRequest: (_request, reply) => {
      reply.header('Allow', allow);
      sendText(reply, 405, `Allowed here: ${allow}`);
    },
    handler: (_request, reply) => notFound(reply),
  });
}

const READ: HTTPMethods[] = ['GET', 'HEAD'];
const hidden = { schema: { hide: true } };

function ocspRoutes(app: FastifyInstance, { status, clock }: StatusFaceOptions): void {
  const dates = new WeakMap<NonNullable<OcspAnswer['cache']>, { expires: string; lastModified: string }>();

  function datesOf(cache: NonNullable<OcspAnswer['cache']>) {
    let known = dates.get(cache);
    if (known === undefined) {
      known = { expires: httpDate(cache.nextUpdate), lastModified: httpDate(cache.thisUpdate) };
      dates.set(cache, known);
    }
    return known;
  }

  function sendGet(request: FastifyRequest, reply: FastifyReply, { body, cache }: OcspAnswer): FastifyReply {
    if (cache === null) {
      reply.header('Cache-Control', 'no-store');
    } else {
      const { expires, lastModified } = datesOf(cache);
      const { thisUpdate, nextUpdate, etag } = cache;
      reply.headers({
        // at most half of the life, for then there is a fresher answer here, and never so long that a cache hides a
        // revocation (RFC 5019 section 6.2 wants less than nextUpdate, contract v2 section 13 at most four hours)
        'Cache-Control': cacheControl(Math.min(OCSP_MAX_AGE_MS, (thisUpdate + nextUpdate) / 2 - clock.now())),
        ETag: etag,
        Expires: expires,
        'Last-Modified': lastModified,
      });
      if (isCurrentCopy(request.headers, etag, thisUpdate)) return reply.code(304).send();
    }
    return reply.type(OCSP_RESPONSE).send(asBuffer(body));
  }

  app.route<{ Params: CaParams }>({
    ...hidden,
    method: READ,
    url: '/ocsp/:ca/*',
    async handler(request, reply) {
      // the router's idea of the path is no help: it decodes %2F, which is a letter of base64 here
      const url = request.raw.url ?? '';
      const start = url.indexOf('/', url.indexOf('/ocsp/') + '/ocsp/'.length);
      const query = url.indexOf('?', start);
      const tail = url.slice(start + 1, query < 0 ? undefined : query);
      const answer = await status.ocsp(request.params.ca, ocspRequestFromPath(tail) ?? NOTHING);
      return answer === undefined ? notFound(reply) : sendGet(request, reply, answer);
    },
  });

  for (const url of ['/ocsp/:ca', '/ocsp/:ca/']) {
    app.route<{ Params: CaParams }>({
      ...hidden,
      method: 'POST',
      url,
      async handler(request, reply) {
        const body = Buffer.isBuffer(request.body) ? request.body : NOTHING;
        const answer = await status.ocsp(request.params.ca, body);
        return answer === undefined ? notFound(reply) : reply.type(OCSP_RESPONSE).send(asBuffer(answer.body));
      },
    });
    refuseOtherMethods(app, url, ['POST']);
  }
  refuseOtherMethods(app, '/ocsp/:ca/*', READ);
}

function crlRoutes(app: FastifyInstance, { status, clock }: StatusFaceOptions): void {
  async function sendCrl(
    request: FastifyRequest,
    reply: FastifyReply,
    caSlug: string | undefined,
    partition: number,
  ): Promise<FastifyReply> {
    const crl = caSlug === undefined ? undefined : await status.crl(caSlug, partition);
    if (crl === undefined) return notFound(reply);
    return sendCacheable(request, reply, 'application/pkix-crl', crl.der, {
      // the number never repeats for a CA and partition; hashing a CRL of 50 MB would take too long here
      etag: `"${crl.number.toString(36)}-${crl.thisUpdate.toString(36)}"`,
      lastModified: crl.thisUpdate,
      expires: crl.nextUpdate,
      maxAgeMs: Math.min(CRL_MAX_AGE_MS, crl.nextUpdate - clock.now()),
    });
  }

  app.route<{ Params: FileParams }>({
    ...hidden,
    method: READ,
    url: '/crl/:file',
    handler: (request, reply) => sendCrl(request, reply, stem(request.params.file, '.crl'), 0),
  });
  app.route<{ Params: ShardParams }>({
    ...hidden,
    method: READ,
    url: '/crl/:ca/:file',
    handler(request, reply) {
      const partition = stem(request.params.file, '.crl') ?? '';
      return /^[1-9]\d{0,4}$/.test(partition)
        ? sendCrl(request, reply, request.params.ca, Number(partition))
        : notFound(reply);
    },
  });
  refuseOtherMethods(app, '/crl/:file', READ);
  refuseOtherMethods(app, '/crl/:ca/:file', READ);
}

/** DER as PEM (RFC 7468). */
function pem(label: string, der: Uint8Array): string {
  const lines =
    asBuffer(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

type Authority = NonNullable<Awaited<ReturnType<StatusService['authority']>>>;

const AUTHORITY_FILES: readonly {
  readonly extension: string;
  readonly type: string;
  readonly render: (authority: Authority) => Uint8Array;
}[] = [
  { extension: '.cer', type: 'application/pkix-cert', render: ({ certificate }) => certificate },
  {
    extension: '.pem',
    type: 'application/x-pem-file',
    render: ({ certificate }) => Buffer.from(pem('CERTIFICATE', certificate)),
  },
  {
    extension: '.p7c',
    type: 'application/pkcs7-mime; smime-type=certs-only',
    render: ({ certificate, chain }) => certsOnly([certificate, ...chain]),
  },
];

function authorityRoutes(app: FastifyInstance, { status, clock }: StatusFaceOptions): void {
  app.route<{ Params: FileParams }>({
    ...hidden,
    method: READ,
    url: '/ca/:file',
    async handler(request, reply) {
      const { file } = request.params;
      const kind = AUTHORITY_FILES.find(({ extension }) => file.endsWith(extension));
      const slug = kind && stem(file, kind.extension);
      const authority = slug === undefined ? undefined : await status.authority(slug);
      if (kind === undefined || authority === undefined) return notFound(reply);
      const body = kind.render(authority);
      return sendCacheable(request, reply, kind.type, body, {
        etag: `"${hash('sha256', body, 'hex').slice(0, 32)}"`,
        expires: clock.now() + CA_MAX_AGE_MS,
        maxAgeMs: CA_MAX_AGE_MS,
      });
    },
  });
  refuseOtherMethods(app, '/ca/:file', READ);
}
