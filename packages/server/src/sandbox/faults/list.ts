/** The faults that a sandbox has been asked for: which requests they hit and what happens to them. */
import { fail, ok, type Result } from '@certwright/pki';

/** Faces that faults can name, by the paths under which they answer. */
export const FAULT_FACES = {
  v2: ['/api/certinext/v2/'],
  token: ['/oauth/token'],
  status: ['/ocsp/', '/crl/', '/ca/'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type FaultFace = keyof typeof FAULT_FACES | '*';

/** Before the handler runs: no effect; after: the effect is on record, but the answer is not what it was. */
export type FaultMoment = 'before' | 'after';

export type FaultEffect =
  | {
      readonly kind: 'status';
      readonly moment: FaultMoment;
      readonly status: number;
      /** EMS code or slug of the problem document. */
      readonly code?: string;
      readonly detail?: string;
      readonly retryAfterSeconds?: number;
    }
  | { readonly kind: 'delay'; readonly moment: FaultMoment; readonly delayMs: number }
  | { readonly kind: 'drop'; readonly moment: FaultMoment };

export interface FaultDraft {
  readonly face: FaultFace;
  /** OperationId, or `METHOD /path` in which `*` and `{name}` stand for one segment; absent: every operation. */
  readonly operation?: string;
  readonly times: number;
  readonly effect: FaultEffect;
}

export interface Fault extends FaultDraft {
  readonly id: number;
  /** Requests it will still hit. */
  readonly remaining: number;
}

/** What a fault is matched against. */
export interface FaultSubject {
  readonly method: string;
  /** Path as requested, without query. */
  readonly path: string;
  readonly operationId: string | undefined;
}

export interface FaultList {
  /** Adds a fault; one whose operation does not exist would never fire and is refused. */
  add(draft: FaultDraft): Result<Fault, { readonly field: string; readonly message: string }>;
  /** The oldest fault that fits; this counts as one of its times. */
  take(subject: FaultSubject): Fault | undefined;
  list(): readonly Fault[];
  clear(): void;
}

const MAX_FAULTS = 1_000;
const PATTERN = /^([A-Z]{3,7}|\*) (\/\S{0,1024})$/;

interface Entry {
  readonly draft: FaultDraft;
  readonly id: number;
  readonly fits: (subject: FaultSubject) => boolean;
  remaining: number;
}

/** Makes an empty list. `isOperation` knows the operation ids of the faces. */
export function createFaultList(isOperation: (operationId: string) => boolean): FaultList {
  let entries: Entry[] = [];
  let lastId = 0;
  const shown = ({ draft, id, remaining }: Entry): Fault => ({ ...draft, id, remaining });

  return {
    add(draft) {
      const matcher = operationMatcher(draft.operation, isOperation);
      if (matcher === undefined) {
        return fail({
          field: 'operation',
          message: 'must be an operationId of the face’s OpenAPI document or `METHOD /path`',
        });
      }
      if (entries.length >= MAX_FAULTS) {
        return fail({ field: 'times', message: `more than ${MAX_FAULTS} faults wait; clear them first` });
      }
      lastId += 1;
      const isOfFace = faceMatcher(draft.face);
      const entry: Entry = {
        draft,
        id: lastId,
        remaining: draft.times,
        fits: (subject) => isOfFace(subject.path) && matcher(subject),
      };
      entries.push(entry);
      return ok(shown(entry));
    },
    take(subject) {
      const entry = entries.find(({ fits }) => fits(subject));
      if (entry === undefined) return undefined;
      entry.remaining -= 1;
      if (entry.remaining <= 0) entries = entries.filter((other) => other !== entry);
      return shown(entry);
    },
    list: () => entries.map(shown),
    clear() {
      entries = [];
    },
  };
}

/** The face that answers under a path. */
export function faceOf(path: string): Exclude<FaultFace, '*'> | undefined {
  const faces = Object.entries(FAULT_FACES) as [Exclude<FaultFace, '*'>, readonly string[]][];
  return faces.find(([, prefixes]) => prefixes.some((prefix) => path.startsWith(prefix)))?.[0];
}

function faceMatcher(face: FaultFace): (path: string) => boolean {
  return face === '*' ? () => true : (path) => faceOf(path) === face;
}

function operationMatcher(
  operation: string | undefined,
  isOperation: (operationId: string) => boolean,
): ((subject: FaultSubject) => boolean) | undefined {
  if (operation === undefined) return () => true;
  const pattern = PATTERN.exec(operation);
  if (pattern === null) return isOperation(operation) ? (subject) => subject.operationId === operation : undefined;
  const [, method = '', path = ''] = pattern;
  const wanted = path.split('/');
  return (subject) => {
    if (method !== '*' && subject.method !== method) return false;
    const segments = subject.path.split('/');
    return (
      segments.length === wanted.length &&
      wanted.every((segment, index) => segment === '*' || /^\{[^{}]+\}$/.test(segment) || segment === segments[index])
    );
  };
}
