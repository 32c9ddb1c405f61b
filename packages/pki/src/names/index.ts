export { ATTRIBUTE_OID, type AttributeKey } from './attribute-types.ts';
export {
  type AttributeTypeAndValue,
  attribute,
  attributes,
  checkNameBounds,
  type DistinguishedName,
  encodeName,
  isPrintable,
  nameEquals,
  nameOf,
  type Rdn,
  readName,
} from './distinguished-name.ts';
export {
  baseName,
  type DnsName,
  type DnsNameError,
  type DnsNameErrorCode,
  displayDnsName,
  isWildcard,
  parseDnsName,
} from './dns-name.ts';
export {
  encodeGeneralName,
  encodeGeneralNames,
  type GeneralName,
  readGeneralName,
  readGeneralNames,
} from './general-name.ts';
export { formatIp, parseIp } from './ip-address.ts';
export { formatName, type NameError, type NameErrorCode, parseName } from './rfc4514.ts';
