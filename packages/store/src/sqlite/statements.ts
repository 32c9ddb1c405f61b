/** Texts of the writing statements, made once per shape. */
import type { TableDefinition } from '../schema/columns.ts';
import { quote } from '../schema/ddl.ts';

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

export const insertSql = (table: TableDefinition): string =>
  once(
    `insert ${table.name}`,
    () =>
      `insert into ${quote(table.name)} (${table.columns.map(({ name }) => quote(name)).join(', ')}) values (${table.columns.map(() => '?').join(', ')})`,
  );

/** Compare-and-set of some columns; parameters: their values, id, version. */
export const updateSql = (table: TableDefinition, columns: readonly number[]): string =>
  once(`update ${table.name} ${columns.join()}`, () => {
    const set = columns.map((at) => `${quote(table.columns[at]?.name ?? '')} = ?`);
    return `update ${quote(table.name)} set ${[...set, '"version" = "version" + 1'].join(', ')} where "id" = ? and "version" = ?`;
  });

export const deleteSql = (table: TableDefinition): string => `delete from ${quote(table.name)} where "id" = ?`;

/** Account and counted value of a row. */
export const selectCountedSql = (table: TableDefinition): string =>
  once(`counted ${table.name}`, () => {
    const value = table.counted === null || table.counted === '' ? "''" : quote(table.counted);
    return `select "account_id", ${value} from ${quote(table.name)} where "id" = ?`;
  });
