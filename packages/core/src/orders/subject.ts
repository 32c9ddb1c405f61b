/** Subject of the certificate that an order leads to. */
import { type AttributeKey, type DistinguishedName, type GeneralName, nameOf, parseIp } from '@certwright/pki';
import type { OrderName, OrderRecord, OrganizationRecord, ProductRecord } from '../records/index.ts';

/** X.520 upper bound of commonName; a longer primary name stands in the subjectAltName alone. */
const MAX_COMMON_NAME = 64;

type Member = readonly [type: AttributeKey, value: string];

function organizationMembers(organization: OrganizationRecord, extended: boolean): Member[] {
  const members: Member[] = extended
    ? [
        ['jurisdictionC', organization.jurisdictionCountry],
        ['businessCategory', organization.businessCategory],
        ['serialNumber', organization.registrationNumber],
      ]
    : [];
  members.push(
    ['C', organization.countryCode],
    ['ST', organization.stateName],
    ['L', organization.locality],
    ['O', organization.name],
  );
  return members;
}

/** Distinguished name, most general attribute first; attributes without a value are left out. */
export function subjectOf(
  order: Pick<OrderRecord, 'names' | 'label' | 'details'>,
  product: ProductRecord,
  organization: OrganizationRecord | null,
): DistinguishedName {
  const members: Member[] = [];
  const { subject } = order.details;
  if (subject !== null) {
    members.push(
      ['C', subject.countryCode],
      ['ST', subject.state],
      ['L', subject.locality],
      ['O', subject.organizationName],
      ['OU', subject.organizationUnit],
      ['organizationIdentifier', subject.organizationIdentifier],
      ['SN', subject.lastName],
      ['GN', subject.firstName],
      ['CN', order.label],
    );
  } else {
    if (organization !== null && product.rules.level !== 'dv') {
      members.push(...organizationMembers(organization, product.rules.level === 'ev'));
    }
    const [primary] = order.names;
    if (primary !== undefined && primary.value.length <= MAX_COMMON_NAME) members.push(['CN', primary.value]);
  }
  return nameOf(...members.filter(([, value]) => value !== ''));
}

/** Subject alternative names in the order of the order's names. */
export function sansOf(names: readonly OrderName[]): GeneralName[] {
  return names.map((name) => {
    if (name.kind === 'dns') return { kind: 'dns', value: name.value };
    const bytes = parseIp(name.value);
    if (bytes === undefined) throw new Error('an address on record cannot be parsed');
    return { kind: 'ip', bytes };
  });
}
