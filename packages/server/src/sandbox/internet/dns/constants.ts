/** Numbers of the IANA DNS parameters registry that the sandbox's server speaks. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  TSIG: 250,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  CAA: 257,
} as const;

export const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;

export const OPCODE = { QUERY: 0, UPDATE: 5 } as const;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
} as const;

/** Extended codes: BADVERS goes into OPT (RFC 6891), the others into TSIG (RFC 8945). */
export const BADVERS = 16;
export const TSIG_ERROR = { BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

/** Types that name a question or the message itself, never stored data. */
export const META_TYPES: ReadonlySet<number> = new Set([
  TYPE.OPT,
  TYPE.TSIG,
  249, // TKEY
  251, // IXFR
  TYPE.AXFR,
  TYPE.MAILB,
  TYPE.MAILA,
  TYPE.ANY,
]);
