import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OrderRequest } from '../../src/api.ts';
import { STANDARD_PRODUCTS } from '../../src/catalog/standard-products.ts';
import { parseSslNames, parseSslVariant } from '../../src/orders/names.ts';
import { chooseProduct } from '../../src/orders/product-choice.ts';
import type { GroupRecord, ProductRecord } from '../../src/records/index.ts';

const products: readonly ProductRecord[] = STANDARD_PRODUCTS.map((product, index) => ({
  ...product,
  id: index + 1,
  accountId: null,
  issuingCaId: 1,
  prices: {},
  customFields: [],
  status: 'active',
  createdAt: 0,
  version: 1,
}));

const group: GroupRecord = {
  id: 1,
  accountId: 1,
  number: '1234567890',
  name: 'Default',
  isDefault: true,
  status: 'active',
  ownBalance: false,
  balance: '0.00',
  productCodes: null,
  createdAt: 0,
  version: 1,
};

const common = {
  saveAsDraft: false,
  requestor: { name: 'A', email: 'a@b.example', phone: '', designation: '' },
  technicalContact: null,
  delegation: null,
  emailNotifications: 'all',
  recipientEmails: [],
  tags: [],
  customFields: [],
  remarks: '',
  subscription: { years: 1, autoRenew: true, renewBeforeDays: 30 },
  attested: false,
} as const;

function ssl(
  variant: string,
  domain: string,
  additionalDomains: readonly string[] = [],
  more: Partial<OrderRequest> = {},
): OrderRequest {
  return { ...common, family: 'ssl', variant, domain, additionalDomains, ...more } as OrderRequest;
}

function choose(request: OrderRequest, inGroup = group) {
  if (request.family !== 'ssl')
    return chooseProduct(products, inGroup, request, { wildcard: false, multiDomain: false });
  const names = parseSslNames(request);
  assert.ok(names.ok);
  return chooseProduct(products, inGroup, request, names.value.shape);
}

describe('product resolution (contract v2 section 7.3)', () => {
  const cases: readonly [OrderRequest, string][] = [
    [ssl('dv', 'a.example'), '842'],
    [ssl('dv', '*.a.example'), '843'],
    [ssl('dv', 'a.example', ['b.example']), '844'],
    [ssl('dv', 'a.example', ['*.b.example']), '845'],
    [ssl('ov', 'a.example'), '846'],
    [ssl('ov', '*.a.example'), '847'],
    [ssl('ov', 'a.example', ['b.example']), '848'],
    [ssl('ov', '*.a.example', ['a.example']), '849'],
    [ssl('ev', 'a.example'), '850'],
    [ssl('ev', 'a.example', ['b.example']), '851'],
    [ssl('dv-wildcard-ucc', '*.a.example', ['a.example']), '845'],
    [ssl('dv', 'a.example', ['A.EXAMPLE.']), '842'],
    [{ ...common, family: 'private-pki', variant: 'intranet-ssl', hostname: 'wiki', additionalHosts: [] }, '950'],
    [{ ...common, family: 'private-pki', variant: 'igtf-host', hostname: 'wiki', additionalHosts: [] }, '951'],
    [
      {
        ...common,
        family: 'private-pki',
        variant: 'intranet-ssl',
        hostname: 'wiki',
        additionalHosts: [],
        productCode: '149',
      },
      '950',
    ],
    [
      {
        ...common,
        family: 'private-pki',
        variant: 'intranet-ssl',
        hostname: 'wiki',
        additionalHosts: [],
        productCode: '990',
      },
      '990',
    ],
  ];
  for (const [request, code] of cases) {
    it(`${JSON.stringify({ ...request, requestor: undefined }).slice(0, 60)}… is ${code}`, () => {
      const chosen = choose(request);
      assert.ok(chosen.ok, chosen.ok ? '' : chosen.error.detail);
      assert.equal(chosen.value.code, code);
    });
  }

  const refusals: readonly [string, OrderRequest, string][] = [
    ['EV with a wildcard', ssl('ev', '*.a.example'), 'order.certificateInformation'],
    ['UCC variant without further domains', ssl('ov-ucc', 'a.example'), 'order.certificateInformation'],
    ['long variant against the shape', ssl('dv-wildcard', 'a.example'), 'product.invalid'],
    ['unknown variant', ssl('xv', 'a.example'), 'product.invalid'],
    ['header product of another level', ssl('dv', 'a.example', [], { productCode: '846' }), 'product.invalid'],
    ['header product of another shape', ssl('dv', 'a.example', [], { productCode: '843' }), 'product.invalid'],
    ['header product of another family', ssl('dv', 'a.example', [], { productCode: '950' }), 'product.invalid'],
    ['unknown header product', ssl('dv', 'a.example', [], { productCode: '1' }), 'product.invalid'],
    [
      'a term nobody offers',
      ssl('dv', 'a.example', [], { subscription: { years: 9, autoRenew: true, renewBeforeDays: 30 } }),
      'order.subscription',
    ],
  ];
  for (const [what, request, code] of refusals) {
    it(`refuses ${what}`, () => {
      const chosen = choose(request);
      assert.ok(!chosen.ok);
      assert.equal(chosen.error.code, code);
    });
  }

  it('a group without the product says so', () => {
    const chosen = choose(ssl('dv', 'a.example'), { ...group, productCodes: ['846'] });
    assert.ok(!chosen.ok);
    assert.equal(chosen.error.code, 'product.notProvisioned');
  });
});

describe('names of an SSL order', () => {
  it('adds www once, not for wildcards and not when it is there', () => {
    const names = (domain: string, more: readonly string[] = [], www?: boolean) => {
      const parsed = parseSslNames({
        domain,
        additionalDomains: more,
        ...(www === undefined ? {} : { autoSecureWww: www }),
      });
      assert.ok(parsed.ok);
      return parsed.value.names;
    };
    assert.deepEqual(names('Shop.Example'), ['shop.example', 'www.shop.example']);
    assert.deepEqual(names('www.shop.example'), ['www.shop.example']);
    assert.deepEqual(names('*.shop.example'), ['*.shop.example']);
    assert.deepEqual(names('shop.example', ['www.shop.example']), ['shop.example', 'www.shop.example']);
    assert.deepEqual(names('shop.example', [], false), ['shop.example']);
  });

  it('names the member that is wrong', () => {
    const parsed = parseSslNames({ domain: 'ok.example', additionalDomains: ['fine.example', 'no_good.example'] });
    assert.ok(!parsed.ok);
    assert.deepEqual(
      parsed.error.fields?.map((one) => one.field),
      ['certificate.additionalDomains[1]'],
    );
  });

  it('refuses www for a wildcard when asked for', () => {
    const parsed = parseSslNames({ domain: '*.a.example', additionalDomains: [], autoSecureWww: true });
    assert.ok(!parsed.ok);
    assert.equal(parsed.error.code, 'order.certificateInformation');
  });

  it('reads variants', () => {
    assert.deepEqual(parseSslVariant('ov'), { level: 'ov', shape: undefined });
    assert.deepEqual(parseSslVariant('dv-wildcard-ucc'), { level: 'dv', shape: { wildcard: true, multiDomain: true } });
    assert.equal(parseSslVariant('ucc'), undefined);
  });
});
