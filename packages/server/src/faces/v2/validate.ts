/** Compiles schemas to type guards and says what is wrong in the contract's words. */
import type { FieldError } from '@certwright/core';
import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import type { Static, TSchema } from 'typebox';
import { MAX_FIELD_ERRORS } from './normalise.ts';

export type Check<T> = (
  value: unknown,
) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: readonly FieldError[] };

export interface Validators {
  /** For JSON bodies: types are not converted. */
  body<T extends TSchema>(schema: T): Check<Static<T>>;
  /** For query parameters: numbers and truth values come as text. */
  query<T extends TSchema>(schema: T): Check<Static<T>>;
}

function messageOf({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case 'required':
    case 'minLength':
      return 'must not be blank';
    case 'enum':
      return Array.isArray(params.allowedValues) ? `must be one of ${params.allowedValues.join(', ')}` : 'is not known';
    case 'format':
      return params.format === 'email' ? 'must be a well-formed email address' : `must be a valid ${params.format}`;
    default:
      return message ?? 'is not valid';
  }
}

function fieldOf({ keyword, instancePath, params }: ErrorObject): string {
  const steps = instancePath.split('/').slice(1);
  const member: unknown = keyword === 'required' ? params.missingProperty : undefined;
  return [...steps, ...(typeof member === 'string' ? [member] : [])].reduce(
    (path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`),
    '',
  );
}

/** `components` are the named schemas that others refer to. */
export function createValidators(components: readonly TSchema[]): Validators {
  const options = { allErrors: true, strict: false, removeAdditional: false } as const;
  const body = new Ajv(options);
  const query = new Ajv({ ...options, coerceTypes: true });
  for (const ajv of [body, query]) {
    formats.default(ajv);
    for (const component of components) ajv.addSchema(component);
  }

  const check = <T extends TSchema>(ajv: Ajv, schema: T): Check<Static<T>> => {
    const validate = ajv.compile<Static<T>>(schema);
    return (value) => {
      if (validate(value)) return { ok: true, value };
      const errors = (validate.errors ?? [])
        .filter((error) => error.keyword !== 'anyOf')
        .map((error) => ({ field: fieldOf(error), message: messageOf(error) }));
      return { ok: false, errors: errors.slice(0, MAX_FIELD_ERRORS) };
    };
  };
  return {
    body: (schema) => check(body, schema),
    query: (schema) => check(query, schema),
  };
}
