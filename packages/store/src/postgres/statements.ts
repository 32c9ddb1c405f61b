/** Texts of merged writes: each takes its rows as one array per column, so that a text serves any number of rows. */
import type { Column, TableDefinition } from '../schema/columns.ts';
import { quote, sqlType } from '../schema/ddl.ts';

const MAX_TEXTS = 500;
const texts = new Map<string, string>();

function once(key: string, make: () => string): string {
  let text = texts.get(key);
  if (text === undefined) {
    if (texts.size >= MAX_TEXTS) texts.clear();
    text = make();
    texts.set(key, text);
  }
  return text;
}

const unnest = (types: readonly string[], names: readonly string[]): string =>
  `unnest(${types.map((type, at) => `$${at + 1}::${type}[]`).join(', ')}) as v(${names.map(quote).join(', ')})`;

const typesOf = (columns: readonly Column[]): string[] => columns.map((column) => sqlType(column, 'postgres'));
const namesOf = (columns: readonly Column[]): string[] => columns.map(({ name }) => name);

/** Inserts rows given as one array per column. */
export function insertSql(table: Pick<TableDefinition, 'name' | 'columns'>, suffix = ''): string {
  return once(`insert ${table.name}`, () => {
    const names = namesOf(table.columns);
    const list = names.map(quote).join(', ');
    return `insert into ${quote(table.name)} (${list}) select ${list} from ${unnest(typesOf(table.columns), names)} ${suffix}`.trimEnd();
  });
}

/**
 * Compare-and-set of some columns of many rows; parameters: ids, versions, then an array per column. Returns the id of
 * each row changed and, when the counted column is among them, its account and the value before.
 */
export function updateSql(table: TableDefinition, columns: readonly number[]): string {
  return once(`update ${table.name} ${columns.join()}`, () => {
    const changed = columns.flatMap((at) => table.columns[at] ?? []);
    const names = namesOf(changed);
    const set = [...names.map((name) => `${quote(name)} = v.${quote(name)}`), '"version" = t."version" + 1'].join(', ');
    const from = unnest(['bigint', 'bigint', ...typesOf(changed)], ['key_id', 'key_version', ...names]);
    const isKey = (alias: string): string => `${alias}."id" = v."key_id" and ${alias}."version" = v."key_version"`;
    const isCounted = table.counted !== null && names.includes(table.counted);
    const old = isCounted ? ` join ${quote(table.name)} as old on ${isKey('old')}` : '';
    const returning = isCounted ? `t."id", old."account_id", old.${quote(table.counted ?? '')}` : 't."id"';
    return `update ${quote(table.name)} as t set ${set} from ${from}${old} where ${isKey('t')} returning ${returning}`;
  });
}

/** Deletes rows by id; returns ids, for a counted table with account and counted value. */
export function deleteSql(table: TableDefinition): string {
  const value = table.counted === null || table.counted === '' ? "''" : quote(table.counted);
  const returning = table.counted === null ? '"id"' : `"id", "account_id", ${value}`;
  return `delete from ${quote(table.name)} where "id" = any($1::bigint[]) returning ${returning}`;
}
