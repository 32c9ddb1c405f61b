/** The page behind mailed validation links: `/validation/mail/{token}`. The token is all that is needed; no login. */
import type { Core, DomainError, Origin } from '@certwright/core';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { classifyFailure } from '../../http/failure.ts';
import { refuseOtherMethods } from '../../http/other-methods.ts';
import { PRIVATE_ANSWER_HEADERS } from '../../http/security-headers.ts';
import { CONTENT_SECURITY_POLICY, confirmedPage, confirmPage, refusedPage } from './html.ts';

export interface ValidationPageOptions {
  readonly core: Pick<Core, 'domains'>;
  /** Takes what nobody expected. */
  readonly log: (error: unknown, request: FastifyRequest) => void;
}

const PATH = '/validation/mail/:token';
/** The form has no fields. */
const BODY_LIMIT = 1_024;
const TOKEN = /^[A-Za-z0-9_-]{16,128}$/;

const HEADERS = {
  ...PRIVATE_ANSWER_HEADERS,
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-robots-tag': 'noindex',
  'content-type': 'text/html; charset=utf-8',
};

const UNKNOWN_LINK = refusedPage(
  'This link cannot be used',
  'It is unknown, was replaced by a newer mail or has run out. Ask whoever ordered the certificate for a new mail.',
);

function tokenOf(request: FastifyRequest): string | undefined {
  const { token } = request.params as { readonly token: string };
  return TOKEN.test(token) ? token : undefined;
}

function refuse(reply: FastifyReply, error: DomainError): FastifyReply {
  return error.code === 'notFound'
    ? reply.code(404).send(UNKNOWN_LINK)
    : reply.code(409).send(refusedPage('The domain cannot be confirmed now', error.detail));
}

/** Registers the page at the root of an application. */
export const validationPage: FastifyPluginAsync<ValidationPageOptions> = async (app, { core: { domains }, log }) => {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(HEADERS);
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, _body, done) => done(null));
  app.setErrorHandler((error, request, reply) => {
    const failure = classifyFailure(error);
    if (failure.kind === 'unavailable') {
      log(error, request);
      return reply
        .code(503)
        .header('retry-after', String(failure.retryAfterSeconds))
        .send(refusedPage('Not available', 'Please try again in a moment.'));
    }
    if (failure.kind === 'bug') {
      log(error, request);
      return reply.code(500).send(refusedPage('Something went wrong', `Please try again. Reference: ${request.id}`));
    }
    return reply.code(failure.status).send(refusedPage('This request cannot be read', failure.detail));
  });

  app.get(PATH, { schema: { hide: true } }, async (request, reply) => {
    const token = tokenOf(request);
    if (token === undefined) return reply.code(404).send(UNKNOWN_LINK);
    const found = await domains.mailApproval(token);
    if (!found.ok) return refuse(reply, found.error);
    // looking changes nothing: mail scanners follow links
    return reply.send(found.value.approved ? confirmedPage(found.value.domainName) : confirmPage(found.value));
  });

  app.post(PATH, { schema: { hide: true } }, async (request, reply) => {
    const token = tokenOf(request);
    if (token === undefined) return reply.code(404).send(UNKNOWN_LINK);
    const origin: Origin = {
      channel: 'validation-page',
      requestId: request.id,
      ip: request.ip,
      originator: 'Validation mail',
    };
    const approved = await domains.approveByMail(origin, token);
    return approved.ok ? reply.send(confirmedPage(approved.value.domainName)) : refuse(reply, approved.error);
  });

  refuseOtherMethods(app, PATH, ['GET', 'POST'], (_request, reply, allow) =>
    reply.code(405).header('allow', allow).send(refusedPage('Not supported', 'Open the link in a browser.')),
  );
};
