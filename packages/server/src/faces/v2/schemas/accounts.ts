/** Answers of the token endpoint, accounts and catalog. Flags and money are text. */
import Type from 'typebox';
import { component, Flag, Line, oneOf, ref } from './common.ts';

export const TokenResponse = component(
  'TokenResponse',
  Type.Object({
    access_token: Type.String(),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer(),
    refresh_token: Type.String({ description: 'Single use.' }),
    tokenDetails: Type.Object({
      accessToken: Type.String(),
      tokenType: Type.String(),
      expiresIn: Type.Integer(),
      refreshToken: Type.String(),
    }),
  }),
);
export const OAuthError = component(
  'OAuthError',
  Type.Object({
    error: oneOf('invalid_request', 'unsupported_grant_type', 'invalid_grant', 'invalid_client', 'unauthorized_client'),
    error_description: Type.String(),
  }),
);
/** All five ways in one shape; the form members and the JSON members exclude each other. */
export const TokenRequest = component(
  'TokenRequest',
  Type.Object({
    grant_type: Type.Optional(oneOf('client_credentials', 'refresh_token')),
    client_id: Type.Optional(Type.String({ description: 'Account number.' })),
    client_secret: Type.Optional(Type.String({ description: 'OAuth access key.' })),
    refresh_token: Type.Optional(Type.String()),
    scope: Type.Optional(Type.String({ description: 'Accepted and ignored.' })),
  }),
);
export const KeyTokenRequest = component(
  'KeyTokenRequest',
  Type.Object({
    accountNumber: Type.Optional(Type.String()),
    authKey: Type.Optional(Type.String({ description: 'Hex SHA-256 of access key + ts + txn.' })),
    ver: Type.Optional(Type.String()),
    ts: Type.Optional(Type.String({ description: 'RFC 3339 with offset; within five minutes of now.' })),
    txn: Type.Optional(Type.String({ description: 'New for each request.' })),
    appCode: Type.Optional(Type.String({ description: 'Account number, with accessKey.' })),
    accessKey: Type.Optional(Type.String()),
  }),
);

export const AccountContext = component(
  'AccountContext',
  Type.Object({ accountNumber: Type.String(), authType: oneOf('oauth2', 'legacy') }),
);

const ValidationFor = () => oneOf('', '1', '2', '3');

export const Group = component(
  'Group',
  Type.Object({
    groupNumber: Type.String(),
    groupName: Type.String(),
    isDefaultGroup: Flag(),
    finance: Flag(),
    groupBalance: Type.String({ description: 'Empty when finance is 0.' }),
    accountBalance: Type.String(),
    organizationDetails: Type.Array(
      Type.Object({
        organizationNumber: Type.String(),
        organizationName: Type.String(),
        validationFor: ValidationFor(),
      }),
    ),
  }),
);
export const GroupList = component('GroupList', Type.Object({ groups: Type.Array(ref(Group)) }));

export const OrganizationSummary = component(
  'OrganizationSummary',
  Type.Object({
    organizationNumber: Type.String(),
    organizationName: Type.String(),
    organizationLocality: Type.String(),
    organizationCountryCode: Type.String(),
    organizationPostalCode: Type.String(),
    organizationStatusId: Flag(),
    isPreVettingOrg: Flag(),
  }),
);
export const OrganizationList = component(
  'OrganizationList',
  Type.Object({ organizations: Type.Array(ref(OrganizationSummary)) }),
);
export const OrganizationDetail = component(
  'OrganizationDetail',
  Type.Object({
    organizationNumber: Type.String(),
    organizationName: Type.String(),
    organizationStreetAddress1: Type.String(),
    organizationStreetAddress2: Type.String(),
    organizationLocality: Type.String(),
    organizationStateName: Type.String(),
    organizationStateCode: Type.String(),
    organizationPostalCode: Type.String(),
    organizationCountryCode: Type.String(),
    organizationStatusId: Flag(),
    validationStatusId: oneOf('0', '1', '2', '3', '4', '5'),
    validationFor: ValidationFor(),
    businessCategoryId: oneOf('', '1', '2', '3', '4'),
    subscriberAgreement: Type.Object({
      signedDate: Type.String(),
      signedPlace: Type.String(),
      signerName: Type.String(),
      signed: Type.Boolean(),
    }),
    domains: Type.Array(Type.String()),
    orgRepresentatives: Type.Array(
      Type.Object({
        name: Type.String(),
        designation: Type.String(),
        emailId: Type.String(),
        mobileNumber: Type.String(),
        isdCode: Type.String(),
        representativeNumber: Type.String(),
      }),
    ),
  }),
);

export const GroupQuery = Type.Object({ groupNumber: Type.Optional(Line(64)) });

export const Product = component(
  'Product',
  Type.Object({
    productCode: Type.String(),
    productName: Type.String(),
    productTypeID: Type.String(),
    price: Type.Optional(Type.String()),
    subscriptionPrice: Type.Record(Type.String(), Type.Object({ cost: Type.String() })),
  }),
);
export const ProductCategory = component(
  'ProductCategory',
  Type.Object({
    categoryName: Type.String(),
    categoryID: oneOf('1', '2', '3', '8'),
    currencyType: Type.String(),
    products: Type.Array(ref(Product)),
  }),
);
export const ProductCatalog = component('ProductCatalog', Type.Object({ products: Type.Array(ref(ProductCategory)) }));

export const CustomFieldDefinition = component(
  'CustomFieldDefinition',
  Type.Object({
    name: Type.String(),
    fieldId: Type.String(),
    type: oneOf('text', 'dropdown', 'datePicker', 'checkbox'),
    maxlength: Type.String({ description: 'Empty for checkbox and datePicker.' }),
    isMandatory: Flag(),
    values: Type.Optional(Type.Array(Type.String())),
  }),
);
export const CustomFieldCatalog = component(
  'CustomFieldCatalog',
  Type.Object({
    customFields: Type.Array(
      Type.Object({
        certificateInformation: Type.Array(ref(CustomFieldDefinition)),
        additionalInformation: Type.Array(ref(CustomFieldDefinition)),
      }),
      { description: 'Empty, or one object with both lists.' },
    ),
  }),
);

export const ACCOUNT_COMPONENTS = [
  TokenResponse,
  OAuthError,
  TokenRequest,
  KeyTokenRequest,
  AccountContext,
  Group,
  GroupList,
  OrganizationSummary,
  OrganizationList,
  OrganizationDetail,
  Product,
  ProductCategory,
  ProductCatalog,
  CustomFieldDefinition,
  CustomFieldCatalog,
];
