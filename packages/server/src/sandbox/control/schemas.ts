/** Wire shapes of the control API: one source for validation, serialisation and its OpenAPI document. */
import type { VettedFor } from '@certwright/core';
import Type, { type Static } from 'typebox';
import { FAULT_FACES, type FaultFace, type FaultMoment } from '../faults/list.ts';
import { RECORD_TYPES } from '../internet/dns/presentation.ts';

const oneOf = <const V extends string>(values: readonly V[], description?: string) =>
  Type.Unsafe<V>(Type.String({ enum: [...values], ...(description === undefined ? {} : { description }) }));
const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });

const Name = Type.String({ minLength: 1, maxLength: 255, description: 'Domain name, ASCII form.' });
const HostName = Type.String({
  pattern: '^(\\*\\.)?([A-Za-z0-9_-]{1,63}\\.)*[A-Za-z0-9_-]{1,63}\\.?$',
  maxLength: 254,
  description: 'Host name, ASCII form; `*.suffix` stands for every name below the suffix.',
});
const RecordType = oneOf(RECORD_TYPES);
const Port = (description: string) => Type.Integer({ minimum: 1, maximum: 65_535, description });

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.String({ description: 'Stable code; decide by it.' }),
    requestId: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.' },
);

export const DnsRecords = Type.Object(
  {
    name: Name,
    type: RecordType,
    values: Type.Array(Type.String({ maxLength: 65_535 }), {
      minItems: 1,
      maxItems: 1_000,
      description: 'Presentation text, e.g. `10 mail.example.com` for MX; for TXT the text itself.',
    }),
  },
  closed,
);

export const DnsRecordSet = Type.Object(
  { name: Name, type: Type.Optional(RecordType) },
  { ...closed, description: 'Without `type` every record of the name.' },
);

export const PublishedRecords = Type.Object({
  name: Type.String(),
  type: RecordType,
  values: Type.Array(Type.String()),
});
export const DeletedRecords = Type.Object({ name: Type.String(), types: Type.Array(RecordType) });

export const HttpFile = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 260, description: 'Host name; a port is ignored.' }),
    path: Type.String({
      minLength: 1,
      maxLength: 2_048,
      description: 'Begins with a slash, percent-encoded, no query.',
    }),
    body: Type.String({ maxLength: 1 << 20 }),
    status: Type.Optional(Type.Integer({ minimum: 200, maximum: 599 })),
    headers: Type.Optional(Type.Record(Type.String(), Type.String(), { maxProperties: 32 })),
  },
  closed,
);
export const PublishedFile = Type.Object({
  host: Type.String(),
  path: Type.String(),
  url: Type.String(),
  bytes: Type.Integer(),
});

export const Host = Type.Object(
  {
    name: HostName,
    address: Type.String({
      maxLength: 45,
      description: 'IPv4 or IPv6 address that the validator connects to for the name.',
    }),
    httpPort: Type.Optional(Port('Port for http URLs; default 80.')),
    tlsPort: Type.Optional(Port('Port for https URLs; default 443.')),
  },
  closed,
);
export const HostEntry = Type.Object({
  name: Type.String(),
  address: Type.String(),
  httpPort: Type.Integer(),
  tlsPort: Type.Integer(),
});

const ValidationMode = oneOf(['real', 'accept'], '`accept` meets every challenge without asking the network.');
export const Validation = Type.Object({ mode: ValidationMode }, closed);

export const MailQuery = Type.Object(
  {
    to: Type.Optional(Type.String({ minLength: 3, maxLength: 320, description: 'Only mails to this recipient.' })),
    wait: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 60,
        description: 'With `to`: seconds to wait for a mail when there is none.',
      }),
    ),
  },
  closed,
);
export const Mails = Type.Object({
  messages: Type.Array(
    Type.Object({
      id: Type.Integer(),
      from: Type.String(),
      to: Type.String(),
      recipients: Type.Array(Type.String()),
      subject: Type.String(),
      text: Type.String(),
      html: Type.Optional(Type.String()),
      links: Type.Array(Type.String(), { description: 'URLs in the text, in their order.' }),
      receivedAt: Time('Real time.'),
    }),
    { description: 'Oldest first.' },
  ),
});

export const Clock = Type.Object({
  now: Time('The sandbox’s time.'),
  realTime: Time('The machine’s time.'),
  offsetSeconds: Type.Number({ description: 'How far the sandbox is ahead.' }),
});
export const ClockMove = Type.Object(
  {
    advance: Type.Optional(
      Type.String({ maxLength: 64, description: 'ISO 8601 duration, e.g. `P60D`, `PT30M`, `-P1D`.' }),
    ),
    set: Type.Optional(Time('The new time; it runs on from there.')),
  },
  { ...closed, description: 'Exactly one member.' },
);
export const ClockMoved = Type.Intersect([
  Clock,
  Type.Object({ jobsRun: Type.Integer({ description: 'Jobs that had become due and were done before this answer.' }) }),
]);

const Moment = oneOf<FaultMoment>(
  ['before', 'after'],
  '`before`: the request has no effect; `after`: its effect is on record.',
);
export const FaultRequest = Type.Object(
  {
    face: oneOf<FaultFace>([...(Object.keys(FAULT_FACES) as FaultFace[]), '*'], '`*` is every face.'),
    operation: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1_100,
        description:
          'An operationId of the face’s OpenAPI document, or `METHOD /path`, where `*` and `{name}` stand for one segment. Absent: every operation.',
      }),
    ),
    times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Requests to hit; default 1.' })),
    when: Type.Optional(Moment),
    status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599, description: 'Answer with this status.' })),
    code: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.-]{1,64}$',
        description: 'With `status` (default 422): EMS code or slug of the problem, or `error` of the token endpoint.',
      }),
    ),
    detail: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'With `status`: its text.' })),
    retryAfterSeconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 86_400, description: 'With `status`: Retry-After; 1 for 429 and 503.' }),
    ),
    delayMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 300_000, description: 'Answer so much later.' })),
    drop: Type.Optional(
      oneOf<FaultMoment>(['before', 'after'], 'Cut the connection without an answer, before or after the effect.'),
    ),
  },
  { ...closed, description: 'Exactly one of `status` (or `code`), `delayMs` and `drop`.' },
);
export const Fault = Type.Object(
  {
    id: Type.Integer(),
    face: Type.String(),
    operation: Type.Optional(Type.String()),
    times: Type.Integer(),
    remaining: Type.Integer({ description: 'Requests it will still hit.' }),
    when: Moment,
    status: Type.Optional(Type.Integer()),
    code: Type.Optional(Type.String()),
    detail: Type.Optional(Type.String()),
    retryAfterSeconds: Type.Optional(Type.Integer()),
    delayMs: Type.Optional(Type.Integer()),
    drop: Type.Optional(Moment),
  },
  { $id: 'Fault' },
);
export const Faults = Type.Object({ faults: Type.Array(Type.Unsafe<Static<typeof Fault>>(Type.Ref('Fault'))) });
export const ClearedFaults = Type.Object({ cleared: Type.Integer() });

export const OrderParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64, description: 'Order id.' }) });
export const OrderDecision = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })) },
  closed,
);
export const Order = Type.Object(
  {
    orderId: Type.String(),
    requestId: Type.String(),
    accountNumber: Type.Optional(Type.String()),
    family: Type.String(),
    productCode: Type.String(),
    phase: Type.String({
      description: 'Where the order stands: its first unmet requirement or its certificate’s state.',
    }),
    lifecycle: Type.String(),
    names: Type.Array(Type.String()),
    serialNumber: Type.Optional(Type.String({ description: 'Upper-case hex, once there is a certificate.' })),
  },
  { $id: 'Order' },
);

export const OrganizationParams = Type.Object({ number: Type.String({ pattern: '^[0-9]{1,20}$' }) });
export const Vetting = Type.Object(
  {
    decision: Type.Optional(oneOf(['validated', 'rejected'], 'Default `validated`.')),
    vettedFor: Type.Optional(
      Type.Array(oneOf<VettedFor>(['ov', 'ev', 'smime']), {
        minItems: 1,
        uniqueItems: true,
        description: 'Default all.',
      }),
    ),
    preVettingToken: Type.Optional(Type.Boolean({ description: 'Make a new pre-vetting token; default false.' })),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  },
  closed,
);
export const VettedOrganization = Type.Object({
  organizationNumber: Type.String(),
  name: Type.String(),
  validation: Type.String(),
  vettedFor: Type.Array(Type.String()),
  vettedUntil: Type.Union([Time('End of the vetting.'), Type.Null()]),
  preVettingToken: Type.Optional(Type.String({ description: 'Shown once.' })),
});

export const Reset = Type.Object({ reset: Type.Literal(true), now: Time('The sandbox’s time.') });
