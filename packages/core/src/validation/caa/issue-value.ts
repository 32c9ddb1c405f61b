/** Value of a CAA `issue` or `issuewild` property (RFC 8659 section 4.2). */
export interface IssueValue {
  /** Lower case; empty: nobody may issue. */
  readonly issuer: string;
  /** Tags in lower case, in order, repeated ones too. */
  readonly parameters: readonly { readonly tag: string; readonly value: string }[];
}

const MAX_LENGTH = 4_096;
const LABEL = /^[a-z0-9](?:-*[a-z0-9])*$/;
const VALUE = /^[\x21-\x3a\x3c-\x7e]*$/;

/** Spaces and tabs only: no other white space is allowed by the grammar. */
const trim = (text: string): string => text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '');

/** Parses strictly; undefined when the grammar is broken, which authorizes nobody. */
export function parseIssueValue(text: string): IssueValue | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [head = '', ...rest] = text.split(';');
  const issuer = trim(head).toLowerCase();
  if (issuer !== '' && !issuer.split('.').every((label) => LABEL.test(label))) return undefined;
  const parameters: { tag: string; value: string }[] = [];
  for (const [index, part] of rest.entries()) {
    const parameter = trim(part);
    if (parameter === '') {
      // `;` alone and a trailing `;` are written in the wild; an empty parameter in between is a mistake
      if (index === rest.length - 1) continue;
      return undefined;
    }
    const equals = parameter.indexOf('=');
    if (equals < 0) return undefined;
    const tag = trim(parameter.slice(0, equals)).toLowerCase();
    const value = trim(parameter.slice(equals + 1));
    if (!LABEL.test(tag) || !VALUE.test(value)) return undefined;
    parameters.push({ tag, value });
  }
  return { issuer, parameters };
}
