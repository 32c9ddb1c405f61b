/** Account, groups, organizations and catalog as API v2 shows them. */
import type {
  CustomFieldDefinition as CustomFieldRecord,
  GroupRecord,
  OrganizationRecord,
  OrganizationValidation,
  ProductRecord,
} from '@certwright/core';
import type { Static } from 'typebox';
import { optional } from '../operation.ts';
import type {
  CustomFieldCatalog,
  CustomFieldDefinition,
  GroupList,
  OrganizationDetail,
  OrganizationSummary,
  Product,
  ProductCatalog,
} from '../schemas/accounts.ts';
import { rfc3339 } from '../time-format.ts';

const flag = (value: boolean): '0' | '1' => (value ? '1' : '0');

/** 1 OV, 2 EV (which carries OV too), 3 S/MIME. */
function validationFor({ validation, vettedFor }: OrganizationRecord): '' | '1' | '2' | '3' {
  if (validation !== 'validated') return '';
  if (vettedFor.includes('ev')) return '2';
  if (vettedFor.includes('ov')) return '1';
  return vettedFor.includes('smime') ? '3' : '';
}

export function groupList(
  groups: readonly GroupRecord[],
  organizations: readonly OrganizationRecord[],
): Static<typeof GroupList> {
  const accountBalance = groups.find((group) => group.isDefault)?.balance ?? '';
  const organizationDetails = organizations.map((organization) => ({
    organizationNumber: organization.number,
    organizationName: organization.name,
    validationFor: validationFor(organization),
  }));
  return {
    groups: groups.map((group) => ({
      groupNumber: group.number,
      groupName: group.name,
      isDefaultGroup: flag(group.isDefault),
      finance: flag(group.ownBalance),
      groupBalance: group.ownBalance ? group.balance : '',
      accountBalance,
      organizationDetails,
    })),
  };
}

export const organizationSummary = (organization: OrganizationRecord): Static<typeof OrganizationSummary> => ({
  organizationNumber: organization.number,
  organizationName: organization.name,
  organizationLocality: organization.locality,
  organizationCountryCode: organization.countryCode,
  organizationPostalCode: organization.postalCode,
  organizationStatusId: flag(organization.status === 'active'),
  isPreVettingOrg: flag(validationFor(organization) !== ''),
});

const VALIDATION_STATUS: Readonly<Record<OrganizationValidation, '0' | '1' | '2' | '3' | '4' | '5'>> = {
  pending: '0',
  validated: '1',
  rejected: '2',
  cancelled: '3',
  expired: '4',
  discrepancy: '5',
};
const BUSINESS_CATEGORY: Readonly<Record<OrganizationRecord['businessCategory'], '' | '1' | '2' | '3' | '4'>> = {
  '': '',
  'Private Organization': '1',
  'Government Entity': '2',
  'Business Entity': '3',
  'Non-Commercial Entity': '4',
};

export function organizationDetail(
  organization: OrganizationRecord,
  domains: readonly string[],
): Static<typeof OrganizationDetail> {
  const { agreement } = organization;
  return {
    organizationNumber: organization.number,
    organizationName: organization.name,
    organizationStreetAddress1: organization.street1,
    organizationStreetAddress2: organization.street2,
    organizationLocality: organization.locality,
    organizationStateName: organization.stateName,
    organizationStateCode: organization.stateCode,
    organizationPostalCode: organization.postalCode,
    organizationCountryCode: organization.countryCode,
    organizationStatusId: flag(organization.status === 'active'),
    validationStatusId: VALIDATION_STATUS[organization.validation],
    validationFor: validationFor(organization),
    businessCategoryId: BUSINESS_CATEGORY[organization.businessCategory],
    subscriberAgreement: {
      signedDate: agreement === null ? '' : rfc3339(agreement.signedAt),
      signedPlace: agreement?.place ?? '',
      signerName: agreement?.signerName ?? '',
      signed: agreement !== null,
    },
    domains: [...domains],
    orgRepresentatives: organization.representatives.map((one) => ({
      name: one.name,
      designation: one.designation,
      emailId: one.email,
      // E.164 as a whole: where the country code ends cannot be told without a numbering plan
      mobileNumber: one.phone,
      isdCode: '',
      representativeNumber: one.number,
    })),
  };
}

const CATEGORIES = [
  ['3', 'SSL/TLS Certificates'],
  ['1', 'Document Signer Certificates'],
  ['2', 'S/MIME Certificates'],
  ['8', 'Private PKI Certificates'],
] as const;

const term = (years: string): string => (years === '1' ? '1 Year' : `${years} Years`);

function product(record: ProductRecord): Static<typeof Product> {
  const prices = Object.entries(record.prices);
  return {
    productCode: record.code,
    productName: record.name,
    productTypeID: record.typeId,
    ...optional('price', prices[0]?.[1]),
    subscriptionPrice: Object.fromEntries(prices.map(([years, cost]) => [term(years), { cost }])),
  };
}

/** Products by category; categories without products are left out. */
export function productCatalog(currency: string, products: readonly ProductRecord[]): Static<typeof ProductCatalog> {
  return {
    products: CATEGORIES.flatMap(([categoryID, categoryName]) => {
      const members = products.filter((record) => record.categoryId === categoryID);
      if (members.length === 0) return [];
      return [{ categoryName, categoryID, currencyType: currency, products: members.map(product) }];
    }),
  };
}

const customField = (field: CustomFieldRecord): Static<typeof CustomFieldDefinition> => ({
  name: field.name,
  fieldId: field.fieldId,
  type: field.type,
  maxlength:
    field.maxLength === null || field.type === 'checkbox' || field.type === 'datePicker' ? '' : String(field.maxLength),
  isMandatory: flag(field.mandatory),
  ...(field.type === 'dropdown' ? { values: [...field.values] } : {}),
});

/** An empty list, or one object with both arrays (contract section 16). */
export const customFieldCatalog = (fields: readonly CustomFieldRecord[]): Static<typeof CustomFieldCatalog> => ({
  customFields:
    fields.length === 0 ? [] : [{ certificateInformation: [], additionalInformation: fields.map(customField) }],
});
