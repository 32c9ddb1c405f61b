/** Issued certificates in the formats of contract section 12. */
import type { CertificateFile } from '@certwright/core';
import { formatName, isSelfIssued, parseCertificate, toPem } from '@certwright/pki';
import type { Static } from 'typebox';
import { negotiate } from '../../../http/media-type.ts';
import { type Answer, json } from '../operation.ts';
import type { CertificateDownload } from '../schemas/orders.ts';
import { rfc3339 } from '../time-format.ts';

export type CertificateFormat = 'json' | 'pem' | 'der';

const BY_MEDIA_TYPE = {
  'application/json': 'json',
  'application/x-pem-file': 'pem',
  'application/pkix-cert': 'der',
} as const satisfies Readonly<Record<string, CertificateFormat>>;

const BY_PARAMETER = { json: 'json', pem: 'pem', der: 'der', pkcs7: 'der' } as const;

/** The `format` parameter wins over Accept; undefined when nothing fits the Accept header. */
export function chooseFormat(
  parameter: keyof typeof BY_PARAMETER | undefined,
  accept: string | undefined,
): CertificateFormat | undefined {
  if (parameter !== undefined) return BY_PARAMETER[parameter];
  const type = negotiate(accept, ['application/json', 'application/x-pem-file', 'application/pkix-cert']);
  return type === undefined ? undefined : BY_MEDIA_TYPE[type];
}

function parsed(der: Uint8Array) {
  const certificate = parseCertificate(der);
  if (!certificate.ok) throw new Error(`a certificate on record cannot be parsed: ${certificate.error.code}`);
  return certificate.value;
}

const pem = (der: Uint8Array): string => toPem('CERTIFICATE', der);

/** What is known of a CA certificate beyond its bytes; the records of CAs are kept, so their bytes are the same objects. */
interface ChainLink {
  readonly pem: string;
  readonly isRoot: boolean;
}
const links = new WeakMap<Uint8Array, ChainLink>();

function linkOf(der: Uint8Array): ChainLink {
  const known = links.get(der);
  if (known !== undefined) return known;
  const link = { pem: pem(der), isRoot: isSelfIssued(parsed(der)) };
  links.set(der, link);
  return link;
}

function document({ order, der, chain }: CertificateFile): Static<typeof CertificateDownload> {
  const { serial, subject, issuer, notBefore, notAfter } = parsed(der);
  return {
    orderId: order.number ?? '',
    serialNumber: serial.toUpperCase(),
    subject: formatName(subject),
    issuer: formatName(issuer),
    notBefore: rfc3339(notBefore),
    notAfter: rfc3339(notAfter),
    certificatePem: pem(der),
    chainPem: chain.map((link) => linkOf(link).pem),
  };
}

/** The certificate in a format: JSON with chain, PEM of leaf and intermediates, or DER of the leaf. */
export function certificateAnswer(file: CertificateFile, format: CertificateFormat): Answer {
  switch (format) {
    case 'json':
      return json(200, document(file));
    case 'pem': {
      const intermediates = file.chain.map(linkOf).filter((link) => !link.isRoot);
      return {
        status: 200,
        headers: { 'content-type': 'application/x-pem-file' },
        body: [pem(file.der), ...intermediates.map((link) => link.pem)].join(''),
      };
    }
    case 'der':
      return { status: 200, headers: { 'content-type': 'application/pkix-cert' }, body: file.der };
  }
}
