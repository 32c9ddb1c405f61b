import { readFileSync } from 'node:fs';
import type { CoreSettings } from '@certwright/core';
import { type Blocklist, blockedBy, parseBlocklist } from '@certwright/pki';

/** Reads lists of keys that are never certified. Throws with file and line when one cannot be read. */
export function readBlocklists(files: readonly string[]): CoreSettings['keyChecks'] {
  const spkiSha256 = new Set<string>();
  const debian = new Set<string>();
  for (const file of files) {
    const list = readBlocklist(file);
    for (const fingerprint of list.spkiSha256) spkiSha256.add(fingerprint);
    for (const fingerprint of list.debian) debian.add(fingerprint);
  }
  return spkiSha256.size + debian.size === 0 ? {} : blockedBy({ spkiSha256, debian });
}

function readBlocklist(file: string): Blocklist {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (cause) {
    throw new Error(`the list of blocked keys ${file} cannot be read; correct blockedKeys.files`, { cause });
  }
  const list = parseBlocklist(text);
  if (list.ok) return list.value;
  throw new Error(`the list of blocked keys ${file} is wrong in line ${list.error.line}: ${list.error.detail}`);
}
