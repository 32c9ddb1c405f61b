/**
 * Attribute types of distinguished names: dotted OID, descriptor for RFC 4514 text, string type and upper bound.
 * Sources: X.520, RFC 5280 appendix A (bounds), RFC 4519 (descriptors), RFC 2985 (emailAddress),
 * EV Guidelines section 7.1.4.2 (jurisdiction), ETSI EN 319 412-1 (organizationIdentifier).
 */

/** Short name of an attribute type → its dotted OID. */
export const ATTRIBUTE_OID = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  street: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  businessCategory: '2.5.4.15',
  postalCode: '2.5.4.17',
  GN: '2.5.4.42',
  dnQualifier: '2.5.4.46',
  pseudonym: '2.5.4.65',
  organizationIdentifier: '2.5.4.97',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
  emailAddress: '1.2.840.113549.1.9.1',
  jurisdictionL: '1.3.6.1.4.1.311.60.2.1.1',
  jurisdictionST: '1.3.6.1.4.1.311.60.2.1.2',
  jurisdictionC: '1.3.6.1.4.1.311.60.2.1.3',
} as const;

export type AttributeKey = keyof typeof ATTRIBUTE_OID;

/** String type an attribute is encoded with; `directory` is the CHOICE DirectoryString. */
export type AttributeSyntax = 'directory' | 'printable' | 'ia5';

export interface AttributeRule {
  readonly key: AttributeKey;
  readonly oid: string;
  /** Keyword in RFC 4514 text. */
  readonly keyword: string;
  readonly syntax: AttributeSyntax;
  readonly minLength: number;
  /** Largest number of characters (not octets). */
  readonly maxLength: number;
}

interface RuleOptions {
  readonly keyword?: string;
  readonly syntax?: AttributeSyntax;
  readonly minLength?: number;
}

function rule(key: AttributeKey, maxLength: number, options: RuleOptions = {}): AttributeRule {
  const { keyword = key, syntax = 'directory', minLength = 1 } = options;
  return { key, oid: ATTRIBUTE_OID[key], keyword, syntax, minLength, maxLength };
}

const RULES: readonly AttributeRule[] = [
  rule('CN', 64),
  rule('SN', 32768),
  rule('serialNumber', 64, { syntax: 'printable' }),
  rule('C', 2, { syntax: 'printable', minLength: 2 }),
  rule('L', 128),
  rule('ST', 128),
  rule('street', 128, { keyword: 'STREET' }),
  rule('O', 64),
  rule('OU', 64),
  rule('title', 64),
  rule('businessCategory', 128),
  rule('postalCode', 40),
  rule('GN', 32768, { keyword: 'givenName' }),
  rule('dnQualifier', 64, { syntax: 'printable' }),
  rule('pseudonym', 128),
  rule('organizationIdentifier', 256),
  rule('DC', 63, { syntax: 'ia5' }),
  rule('UID', 256),
  rule('emailAddress', 255, { syntax: 'ia5' }),
  rule('jurisdictionL', 128, { keyword: 'jurisdictionLocalityName' }),
  rule('jurisdictionST', 128, { keyword: 'jurisdictionStateOrProvinceName' }),
  rule('jurisdictionC', 2, { keyword: 'jurisdictionCountryName', syntax: 'printable', minLength: 2 }),
];

const byOid = new Map(RULES.map((entry) => [entry.oid, entry]));

const LONG_NAMES: Readonly<Record<string, AttributeKey>> = {
  commonname: 'CN',
  surname: 'SN',
  countryname: 'C',
  localityname: 'L',
  stateorprovincename: 'ST',
  streetaddress: 'street',
  organizationname: 'O',
  organizationalunitname: 'OU',
  domaincomponent: 'DC',
  userid: 'UID',
  email: 'emailAddress',
  e: 'emailAddress',
};

const byName = new Map<string, string>([
  ...RULES.map((entry) => [entry.key.toLowerCase(), entry.oid] as const),
  ...RULES.map((entry) => [entry.keyword.toLowerCase(), entry.oid] as const),
  ...Object.entries(LONG_NAMES).map(([name, key]) => [name, ATTRIBUTE_OID[key]] as const),
]);

/** What is known of an attribute type, or undefined for a type outside the table. */
export const attributeRule = (oid: string): AttributeRule | undefined => byOid.get(oid);

/** Dotted OID of a descriptor or long name in any case, or undefined. */
export const attributeTypeByName = (name: string): string | undefined => byName.get(name.toLowerCase());
