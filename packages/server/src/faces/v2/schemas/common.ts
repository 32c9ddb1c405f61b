/** Wire shapes that several operations share. Objects are open: unknown members are ignored on the way in. */
import Type, { type Static, type TSchema } from 'typebox';

/** Refers to a named component and keeps its type. */
export function ref<T extends TSchema & { readonly $id: string }>(component: T) {
  return Type.Unsafe<Static<T>>(Type.Ref(component.$id));
}

/** Names a schema, so that the OpenAPI document has it once. */
export function component<const I extends string, T extends TSchema>(id: I, schema: T): T & { readonly $id: I } {
  return { ...schema, $id: id };
}

export const oneOf = <const V extends string>(...values: readonly V[]) =>
  Type.Unsafe<V>(Type.String({ enum: [...values] }));
export const nullable = (schema: object) => Type.Unsafe<string | null>({ ...schema, type: ['string', 'null'] });

export const Time = () => Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' });
export const Flag = () => oneOf('0', '1');

/** One line of text. */
export const Line = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });
/** Text that may have lines; no other control characters. */
export const Lines = (maxLength: number) =>
  Type.String({ maxLength, pattern: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$' });
export const Email = () => Type.String({ format: 'email', maxLength: 254 });
export const Phone = () => Type.String({ pattern: '^\\+[1-9][0-9]{6,14}$', description: 'E.164.' });
/** Host name as received; its syntax is a business rule (EMS-DOMAIN-003). */
export const Fqdn = () => Type.String({ minLength: 1, maxLength: 255 });
export const MAX_NAMES = 250;

export const FieldError = component('FieldError', Type.Object({ field: Type.String(), message: Type.String() }));

const FailureClass = () => Type.Optional(nullable({ description: 'Absent or null on success.' }));

export const DcvDiagnostics = component(
  'DcvDiagnostics',
  Type.Object({
    schemaVersion: Type.Literal(1),
    method: Type.Optional(Type.String()),
    overallStatus: oneOf('VERIFIED', 'PENDING', 'FAILED', 'REJECTED'),
    failureClass: FailureClass(),
    domainId: Type.Optional(Type.String()),
    domainName: Type.Optional(Type.String()),
    attemptTimestamp: Type.Optional(Time()),
    tokenIsStale: Type.Optional(Type.Boolean()),
    expected: Type.Optional(
      Type.Object({
        domainName: Type.Optional(Type.String()),
        recordValue: Type.Optional(Type.String()),
        fileName: Type.Optional(Type.String()),
        fileContent: Type.Optional(Type.String()),
      }),
    ),
    consensus: Type.Optional(
      Type.Object({
        agreed: Type.Boolean(),
        consensusValue: Type.Optional(Type.String()),
        perspectiveCount: Type.Integer(),
        totalPerspectivesQueried: Type.Integer(),
        quorumCount: Type.Integer(),
      }),
    ),
    perspectives: Type.Optional(
      Type.Array(
        Type.Object({
          resolverIp: Type.String(),
          region: Type.String(),
          status: oneOf('OK', 'FAILED'),
          failureClass: FailureClass(),
          txtValue: Type.Optional(Type.String()),
          responseUrlValue: Type.Optional(Type.String()),
          errorMessage: Type.Optional(Type.String()),
          found: Type.Optional(Type.Object({ rawData: Type.String() })),
        }),
      ),
    ),
    nextSteps: Type.Optional(
      Type.Array(
        Type.Object({
          key: Type.String(),
          params: Type.Record(Type.String(), Type.String()),
          severity: Type.String(),
        }),
      ),
    ),
  }),
);

export const Problem = component(
  'Problem',
  Type.Object(
    {
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String({ description: 'Carries the EMS code as `[EMS-nnn] text`.' }),
      instance: Type.String({ description: 'Request path.' }),
      code: Type.String({ description: 'EMS code, else the slug of the type.' }),
      requestId: Type.String({ description: 'Also in logs and audit entries.' }),
      errors: Type.Optional(Type.Array(ref(FieldError))),
      diagnostics: Type.Optional(ref(DcvDiagnostics)),
      existingDomainId: Type.Optional(Type.String()),
    },
    { description: 'RFC 9457 problem details.' },
  ),
);

export type ProblemDocument = Static<typeof Problem>;
export type DiagnosticsDocument = Static<typeof DcvDiagnostics>;

/** One page; `content` is its only list. */
export const pageOf = <T extends TSchema & { readonly $id: string }>(row: T) =>
  Type.Object({
    content: Type.Array(ref(row)),
    page: Type.Integer(),
    size: Type.Integer(),
    totalElements: Type.Integer(),
    totalPages: Type.Integer(),
  });

export const EmptyBody = Type.Object({});

export const VerificationStatus = () => oneOf('PENDING', 'VERIFIED', 'REJECTED');
