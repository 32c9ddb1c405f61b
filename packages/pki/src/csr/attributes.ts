import { DerReader } from '../der/read.ts';
import { type GeneralName, readGeneralNames } from '../names/index.ts';
import type { RequestedExtension } from './certification-request.ts';
import { refuse, within } from './refusal.ts';

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
/** The same under the OID that Windows used before it took up PKCS #9. */
const MICROSOFT_EXTENSION_REQUEST = '1.3.6.1.4.1.311.2.1.14';
const CHALLENGE_PASSWORD = '1.2.840.113549.1.9.7';
const SUBJECT_ALT_NAME = '2.5.29.17';
const MAX_ATTRIBUTES = 32;
const MAX_EXTENSIONS = 64;

/** What the attributes of a request ask for. */
export interface RequestAttributes {
  readonly extensions: readonly RequestedExtension[];
  readonly sans: readonly GeneralName[];
  readonly challengePassword: string | undefined;
}

const NOTHING: RequestAttributes = { extensions: [], sans: [], challengePassword: undefined };

function readExtension(list: DerReader): RequestedExtension {
  const fields = list.sequence();
  const oid = fields.oid();
  // DER leaves out `critical FALSE`, yet embedded clients write it; nothing is signed or copied from it here.
  const critical = fields.peek === 0x01 ? fields.boolean() : false;
  const value = fields.octetString();
  fields.end();
  return { oid, critical, value };
}

function readExtensions(value: DerReader, into: Map<string, RequestedExtension>): void {
  const list = value.sequence();
  while (!list.done) {
    const extension = readExtension(list);
    if (into.has(extension.oid)) refuse('csr.duplicateExtension', `extension ${extension.oid} is requested twice`);
    if (into.size === MAX_EXTENSIONS) refuse('csr.badExtension', `more than ${MAX_EXTENSIONS} extensions`);
    into.set(extension.oid, extension);
  }
}

/** Everything in a name that may end as text in a log or on a page. */
function textsOf(name: GeneralName): readonly string[] {
  switch (name.kind) {
    case 'dns':
    case 'email':
    case 'uri':
      return [name.value];
    case 'directoryName':
      return name.name.flat().map(({ value }) => value);
    case 'ip':
    case 'otherName':
    case 'registeredId':
      return [];
  }
}

function readSans(value: Uint8Array): GeneralName[] {
  const reader = new DerReader(value);
  const names = readGeneralNames(reader);
  reader.end();
  if (names.flatMap(textsOf).some((text) => /\p{Cc}/u.test(text))) {
    refuse('csr.badExtension', 'subjectAltName has a control character');
  }
  return names;
}

/**
 * Reads the content of `[0] Attributes`. Unknown attributes are skipped. Their order is not checked: many
 * clients do not sort this SET OF, and the signature covers the bytes as they are.
 */
export function readAttributes(attributes: DerReader): RequestAttributes {
  if (attributes.done) return NOTHING;
  const extensions = new Map<string, RequestedExtension>();
  const seen = new Set<string>();
  let challengePassword: string | undefined;
  while (!attributes.done) {
    const attribute = attributes.sequence();
    const type = attribute.oid();
    const values = attribute.enter(0x31);
    attribute.end();
    if (seen.has(type)) refuse('csr.duplicateAttribute', `attribute ${type} is there twice`);
    if (seen.size === MAX_ATTRIBUTES) refuse('csr.badAttributes', `more than ${MAX_ATTRIBUTES} attributes`);
    seen.add(type);
    switch (type) {
      case EXTENSION_REQUEST:
      case MICROSOFT_EXTENSION_REQUEST:
        within('csr.badExtension', () => {
          readExtensions(values, extensions);
          values.end();
        });
        break;
      case CHALLENGE_PASSWORD:
        challengePassword = values.text();
        values.end();
        break;
      default:
        // Values must be DER to be passed over; what they mean is nobody's concern here.
        while (!values.done) values.any();
    }
  }
  const san = extensions.get(SUBJECT_ALT_NAME);
  const sans = san === undefined ? [] : within('csr.badExtension', () => readSans(san.value));
  return { extensions: [...extensions.values()], sans, challengePassword };
}
