/** Bodies of order creates as requests to the core (contract section 7). */
import type { Contact, PrivatePkiOrderRequest, SslOrderRequest } from '@certwright/core';
import { optional } from './operation.ts';
import type { CreatePrivatePki, CreateSsl } from './schemas/orders.ts';

type CommonBody = Pick<
  CreatePrivatePki,
  | 'saveAsDraft'
  | 'requestId'
  | 'groupNumber'
  | 'emailNotifications'
  | 'requestor'
  | 'subscription'
  | 'csr'
  | 'technicalPointOfContact'
  | 'recipientEmails'
  | 'tags'
  | 'customFields'
  | 'remarks'
>;

type ContactBody = NonNullable<CommonBody['technicalPointOfContact']>;

const contact = ({ name = '', email = '', phone = '', designation = '' }: ContactBody): Contact => ({
  name,
  email,
  phone,
  designation,
});

function notifications(given: CommonBody['emailNotifications']): 'all' | 'none' | readonly string[] {
  if (given === undefined || given === 'all' || given === '1') return 'all';
  if (given === 'none' || given === '0') return 'none';
  return typeof given === 'string' ? [given] : given;
}

/** What both families have, with the defaults of section 7.1: a missing subscription still renews by itself. */
function common(body: CommonBody, productCode: string) {
  const { subscription = {} } = body;
  return {
    ...optional('productCode', productCode === '' ? undefined : productCode),
    ...optional('groupNumber', body.groupNumber),
    ...optional('requestId', body.requestId),
    saveAsDraft: body.saveAsDraft ?? false,
    requestor: contact(body.requestor),
    technicalContact: body.technicalPointOfContact === undefined ? null : contact(body.technicalPointOfContact),
    emailNotifications: notifications(body.emailNotifications),
    recipientEmails: body.recipientEmails ?? [],
    tags: body.tags ?? [],
    customFields: (body.customFields ?? []).map(({ fieldId, value = '' }) => ({ fieldId, value })),
    remarks: body.remarks ?? '',
    subscription: {
      years: subscription.validityYears ?? 1,
      autoRenew: subscription.autoRenew ?? true,
      renewBeforeDays: subscription.renewBeforeDays ?? 30,
    },
    ...optional('csr', body.csr),
    attested: false,
  };
}

/** What is missing is blank: the core says which of the two it is. */
export const agreementOf = ({
  signerName = '',
  signerPlace = '',
  accepted = false,
}: NonNullable<CreateSsl['agreement']>) => ({
  signerName,
  signerPlace,
  accepted,
});

export function sslOrderRequest(body: CreateSsl, productCode: string): SslOrderRequest {
  const { certificate, organization, delegation, agreement } = body;
  return {
    ...common(body, productCode),
    family: 'ssl',
    variant: body.productVariant,
    domain: certificate.domain,
    additionalDomains: certificate.additionalDomains ?? [],
    ...optional('autoSecureWww', certificate.autoSecureWww),
    delegation: delegation === undefined ? null : { name: delegation.name ?? '', email: delegation.email ?? '' },
    ...optional(
      'organization',
      organization?.organizationNumber === undefined
        ? undefined
        : { number: organization.organizationNumber, ...optional('preVettingToken', organization.preVettingToken) },
    ),
    ...optional('agreement', agreement === undefined ? undefined : agreementOf(agreement)),
  };
}

export const privatePkiOrderRequest = (body: CreatePrivatePki, productCode: string): PrivatePkiOrderRequest => ({
  ...common(body, productCode),
  family: 'private-pki',
  variant: body.variant,
  hostname: body.hostname,
  additionalHosts: body.additionalHosts ?? [],
  delegation: null,
  ...optional('caProfileId', body.caProfileId),
  ...optional('masterProductId', body.masterProductId),
});
