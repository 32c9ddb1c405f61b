/** Collects configuration from file, environment and flags into one object, before it is checked. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { CONFIG_KEYS, type ConfigKey } from './schema.ts';

export interface ConfigProblem {
  /** Dotted key, environment variable or file name. */
  readonly where: string;
  readonly message: string;
}

export interface ConfigSources {
  /** YAML file; it must exist. */
  readonly file?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Dotted key to text; they win over everything else. */
  readonly flags?: Readonly<Record<string, string>>;
}

interface Collected {
  readonly tree: Readonly<Record<string, unknown>>;
  readonly problems: readonly ConfigProblem[];
}

/** Keys that hold paths: in the file they are relative to it, elsewhere to the working directory. */
const PATH_KEYS = ['data', 'manageSocket', 'key.file', 'tls.cert', 'tls.key', 'blockedKeys.files'];
const MAX_FILE_BYTES = 1 << 20;
/** Variables of the command line itself, which are no configuration keys. */
const CLIENT_VARIABLES = new Set(['CERTWRIGHT_CONFIG', 'CERTWRIGHT_URL', 'CERTWRIGHT_TOKEN', 'CERTWRIGHT_CA_FILE']);
/** Kubernetes puts such variables into each pod beside a service named `certwright`. */
const SERVICE_LINK = /^CERTWRIGHT_(SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

type Tree = { [key: string]: unknown };

function put(tree: Tree, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let node = tree;
  for (const name of names) {
    const child = node[name];
    // what is no section in the file is left for the schema to complain about
    if (child !== undefined && !isTree(child)) return;
    node = node[name] = child ?? {};
  }
  node[last] = value;
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Text of a variable or flag as the key's type; what does not fit stays text, so that the schema names it. */
function typed(key: ConfigKey, value: string): unknown {
  if (key.type === 'integer') return /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (key.type !== 'list') return value;
  return value.split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim()]));
}

function readYaml(file: string): Collected {
  let source: Buffer;
  try {
    source = readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return { tree: {}, problems: [{ where: file, message: `cannot be read (${reason})` }] };
  }
  if (source.length > MAX_FILE_BYTES) return { tree: {}, problems: [{ where: file, message: 'is larger than 1 MiB' }] };
  const document = parseDocument(source.toString('utf8'), { uniqueKeys: true });
  const problems = document.errors.map((error) => {
    const line = error.linePos?.[0].line;
    return {
      where: line === undefined ? file : `${file}:${line}`,
      message: error.message.split('\n')[0] ?? error.code,
    };
  });
  if (problems.length > 0) return { tree: {}, problems };
  if (document.contents === null) return { tree: {}, problems: [] };
  if (!isMap(document.contents)) return { tree: {}, problems: [{ where: file, message: 'must be a map of keys' }] };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 20 });
    const tree = isTree(value) ? value : {};
    for (const path of PATH_KEYS) {
      const value = path.split('.').reduce<unknown>((node, name) => (isTree(node) ? node[name] : undefined), tree);
      const locate = (text: unknown): unknown => (typeof text === 'string' ? resolve(dirname(file), text) : text);
      if (value !== undefined) put(tree, path, Array.isArray(value) ? value.map(locate) : locate(value));
    }
    return { tree, problems: [] };
  } catch {
    return { tree: {}, problems: [{ where: file, message: 'uses too many aliases' }] };
  }
}

/** Merges the sources: flags over environment over file. */
export function collect({ file, env, flags = {} }: ConfigSources): Collected {
  const read = file === undefined ? { tree: {}, problems: [] } : readYaml(file);
  const tree: Tree = structuredClone(read.tree);
  const problems = [...read.problems];
  const byVariable = new Map(CONFIG_KEYS.map((key) => [key.variable, key]));
  const byPath = new Map(CONFIG_KEYS.map((key) => [key.path, key]));

  // the conventional name, so that the usual platforms need no extra setting; ours wins
  if (env.DATABASE_URL) put(tree, 'databaseUrl', env.DATABASE_URL);
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('CERTWRIGHT_') || value === undefined || value === '') continue;
    const key = byVariable.get(name);
    if (key !== undefined) put(tree, key.path, typed(key, value));
    else if (!CLIENT_VARIABLES.has(name) && !SERVICE_LINK.test(name)) {
      // a variable that the configuration itself names as the place of the key is no unknown one
      if (keyVariable(tree, env) !== name) problems.push({ where: name, message: 'is not a known variable' });
    }
  }
  for (const [path, value] of Object.entries(flags)) {
    const key = byPath.get(path);
    if (key === undefined) problems.push({ where: path, message: 'is not a known key' });
    else put(tree, path, typed(key, value));
  }
  return { tree, problems };
}

function keyVariable(tree: Tree, env: ConfigSources['env']): unknown {
  return env.CERTWRIGHT_KEY_ENV ?? (isTree(tree.key) ? tree.key.env : undefined);
}
