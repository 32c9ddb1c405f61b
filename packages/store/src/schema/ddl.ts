import type { Column, Index, TableDefinition } from './columns.ts';

export type Dialect = 'sqlite' | 'postgres';

/** Type of a column in the database; in PostgreSQL also what a parameter is cast to. */
export function sqlType(column: Column, dialect: Dialect): string {
  switch (column.type) {
    case 'integer':
      return dialect === 'sqlite' ? 'integer' : 'bigint';
    case 'boolean':
      return dialect === 'sqlite' ? 'integer' : 'smallint';
    case 'bytes':
    case 'hex':
      return dialect === 'sqlite' ? 'blob' : 'bytea';
    default:
      return 'text';
  }
}

export const quote = (name: string): string => `"${name}"`;

/** Name of an index or unique constraint in the database. */
export const indexName = (table: TableDefinition, { name }: Index): string => `${table.name}_${name}`;

function columnDdl(column: Column, table: TableDefinition, dialect: Dialect): string {
  const type = sqlType(column, dialect);
  // byte order in both databases: ranges and pages rely on it
  const collation = dialect === 'postgres' && type === 'text' ? ' collate "C"' : '';
  const isId = column.name === 'id' && (table.primaryKey === 'id' || table.primaryKey === 'autoId');
  if (!isId) return `${quote(column.name)} ${type}${collation}${column.nullable ? '' : ' not null'}`;
  if (table.primaryKey === 'id') return `"id" ${type} primary key`;
  return dialect === 'sqlite'
    ? '"id" integer primary key autoincrement'
    : '"id" bigint generated always as identity primary key';
}

export function indexDdl(table: TableDefinition, index: Index): string {
  const where = index.where === undefined ? '' : ` where ${index.where}`;
  return `create ${index.unique ? 'unique ' : ''}index ${quote(indexName(table, index))} on ${quote(table.name)} (${index.on})${where}`;
}

/** Statements that make the table with its indexes. */
export function tableDdl(table: TableDefinition, dialect: Dialect): string[] {
  const lines = table.columns.map((column) => columnDdl(column, table, dialect));
  const composite = typeof table.primaryKey === 'string' ? null : table.primaryKey;
  if (composite !== null) lines.push(`primary key (${composite.map(quote).join(', ')})`);
  const options = dialect === 'postgres' ? '' : composite === null ? ' strict' : ' strict, without rowid';
  return [
    `create table ${quote(table.name)} (\n  ${lines.join(',\n  ')}\n)${options}`,
    ...table.indexes.map((index) => indexDdl(table, index)),
  ];
}
