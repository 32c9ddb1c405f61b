import type { Column, SqlValue, TableDefinition } from './columns.ts';

type Encode = (value: unknown) => SqlValue;
type Decode = (cell: SqlValue) => unknown;

function text(value: unknown, column: Column): string {
  if (typeof value !== 'string') throw new TypeError(`${column.name} must be text`);
  // PostgreSQL cannot hold NUL; callers refuse it long before
  if (value.includes('\0')) throw new TypeError(`${column.name} contains a NUL character`);
  return value;
}

function octets(value: unknown, column: Column): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${column.name} must be octets`);
  return value;
}

/**
 * The octets alone in their ArrayBuffer. A view into a shared one (every small Buffer is: of the pool of 64 KiB) would
 * be sent to the writing thread with all that lies around it.
 */
function alone(bytes: Uint8Array): Uint8Array {
  const { buffer, byteLength } = bytes;
  // shared memory is not copied on its way
  return byteLength === buffer.byteLength || buffer instanceof SharedArrayBuffer ? bytes : new Uint8Array(bytes);
}

function encoder(column: Column): Encode {
  const encode = (value: unknown): SqlValue => {
    switch (column.type) {
      case 'integer':
        if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
          throw new TypeError(`${column.name} must be an integer`);
        }
        return value;
      case 'text':
        return text(value, column);
      case 'bytes':
        return alone(octets(value, column));
      case 'boolean':
        if (typeof value !== 'boolean') throw new TypeError(`${column.name} must be a boolean`);
        return value ? 1 : 0;
      case 'json':
        return JSON.stringify(value);
      case 'bytesList':
        if (!Array.isArray(value)) throw new TypeError(`${column.name} must be a list`);
        return JSON.stringify(value.map((one) => Buffer.from(octets(one, column)).toString('base64')));
      case 'hex':
        if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(value)) {
          throw new TypeError(`${column.name} must be lower-case hex`);
        }
        return alone(Buffer.from(value, 'hex'));
    }
  };
  return (value) => {
    if (value !== null && value !== undefined) return encode(value);
    if (!column.nullable) throw new TypeError(`${column.name} must not be null`);
    return null;
  };
}

function decoder(column: Column): Decode {
  switch (column.type) {
    case 'boolean':
      return (cell) => (cell === null ? null : cell === 1);
    case 'json':
      return (cell) => (cell === null ? null : JSON.parse(String(cell)));
    case 'bytesList':
      return (cell) =>
        cell === null
          ? null
          : (JSON.parse(String(cell)) as string[]).map((one) => new Uint8Array(Buffer.from(one, 'base64')));
    case 'hex':
      return (cell) => (cell instanceof Uint8Array ? hexOf(cell) : null);
    default:
      return (cell) => cell;
  }
}

/** Lower-case hex of a cell. */
export const hexOf = (octets: Uint8Array): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex');

/** Converts between records and rows of one table. */
export interface Codec {
  /** Columns of the record, in the order of the rows that `decode` takes. */
  readonly columns: readonly Column[];
  /** All cells of a new row, derived ones included, in the table's order. @throws TypeError for a value of the wrong type. */
  encodeRow(record: object): SqlValue[];
  /** Cells of the members given; `columns` are positions in the table. */
  encodeSet(members: object): { readonly columns: readonly number[]; readonly values: readonly SqlValue[] };
  encodeCell(member: string, value: unknown): SqlValue;
  decode(row: readonly SqlValue[]): Record<string, unknown>;
}

export function createCodec(table: TableDefinition): Codec {
  const encoders = table.columns.map(encoder);
  const rowEncoders = table.columns.map(({ member, derive }, at) => {
    const encode = encoders[at];
    return derive ?? ((members: Readonly<Record<string, unknown>>) => encode?.(members[member]) ?? null);
  });
  const positions = new Map(table.columns.map((column, at) => [column.member, at]));
  const columns = table.columns.filter((column) => column.derive === undefined);
  const decoders = columns.map((column) => [column.member, decoder(column)] as const);

  function encodeCell(member: string, value: unknown): SqlValue {
    const encode = encoders[positions.get(member) ?? -1];
    if (encode === undefined) throw new TypeError(`${table.label} has no member ${member}`);
    return encode(value);
  }

  return {
    columns,
    encodeCell,
    encodeRow(record) {
      const members = record as Readonly<Record<string, unknown>>;
      return rowEncoders.map((encode) => encode(members));
    },
    encodeSet(members) {
      const set = Object.entries(members)
        .map(([member, value]) => ({ at: positions.get(member) ?? -1, cell: encodeCell(member, value) }))
        .sort((a, b) => a.at - b.at);
      return { columns: set.map(({ at }) => at), values: set.map(({ cell }) => cell) };
    },
    decode(row) {
      const record: Record<string, unknown> = {};
      for (let at = 0; at < decoders.length; at++) {
        const entry = decoders[at];
        if (entry !== undefined) record[entry[0]] = entry[1](row[at] ?? null);
      }
      return record;
    },
  };
}
