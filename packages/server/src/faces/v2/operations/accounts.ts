/** Accounts and catalog. */
import type { Core } from '@certwright/core';
import { ok } from '@certwright/pki';
import { json, noObject, type Operation, operation } from '../operation.ts';
import {
  customFieldCatalog,
  groupList,
  organizationDetail,
  organizationSummary,
  productCatalog,
} from '../present/accounts.ts';
import {
  AccountContext,
  CustomFieldCatalog,
  GroupList,
  GroupQuery,
  OrganizationDetail,
  OrganizationList,
  ProductCatalog,
} from '../schemas/accounts.ts';
import { ref } from '../schemas/common.ts';

export const accountOperations = ({ accounts, catalog }: Pick<Core, 'accounts' | 'catalog'>): readonly Operation[] => [
  operation({
    id: 'getCurrentAccount',
    method: 'GET',
    path: '/auth/me',
    tag: 'Accounts',
    summary: 'Account behind the bearer token',
    answers: { 200: ref(AccountContext) },
    locate: noObject,
    run: async ({ ctx: { caller } }) =>
      ok(json(200, { accountNumber: caller.accountNumber, authType: caller.tokenAuthType })),
  }),
  operation({
    id: 'listGroups',
    method: 'GET',
    path: '/groups',
    tag: 'Accounts',
    summary: 'Billing groups of the account',
    answers: { 200: ref(GroupList) },
    locate: ({ ctx }) => accounts.groups(ctx),
    run: async ({ object }) => ok(json(200, groupList(object.groups, object.organizations))),
  }),
  operation({
    id: 'listOrganizations',
    method: 'GET',
    path: '/organizations',
    tag: 'Accounts',
    summary: 'Pre-vetted organizations',
    query: GroupQuery,
    answers: { 200: ref(OrganizationList) },
    locate: noObject,
    async run({ ctx, query }) {
      const found = await accounts.organizations(ctx, query.groupNumber);
      return found.ok ? ok(json(200, { organizations: found.value.map(organizationSummary) })) : found;
    },
  }),
  operation({
    id: 'getOrganization',
    method: 'GET',
    path: '/organizations/:organizationNumber',
    tag: 'Accounts',
    summary: 'One organization in full',
    answers: { 200: ref(OrganizationDetail) },
    locate: ({ ctx, params }) => accounts.organization(ctx, params.organizationNumber ?? ''),
    run: async ({ object }) => ok(json(200, organizationDetail(object.organization, object.domains))),
  }),
  operation({
    id: 'listProducts',
    method: 'GET',
    path: '/catalog/products',
    tag: 'Catalog',
    summary: 'Products the account may order',
    query: GroupQuery,
    answers: { 200: ref(ProductCatalog) },
    locate: noObject,
    async run({ ctx, query }) {
      const found = await catalog.products(ctx, query.groupNumber);
      return found.ok ? ok(json(200, productCatalog(found.value.currency, found.value.products))) : found;
    },
  }),
  operation({
    id: 'getProductCustomFields',
    method: 'GET',
    path: '/catalog/products/:productCode/custom-fields',
    tag: 'Catalog',
    summary: 'Custom fields of a product',
    query: GroupQuery,
    answers: { 200: ref(CustomFieldCatalog) },
    locate: noObject,
    async run({ ctx, params, query }) {
      const found = await catalog.customFields(ctx, params.productCode ?? '', query.groupNumber);
      return found.ok ? ok(json(200, customFieldCatalog(found.value))) : found;
    },
  }),
];
