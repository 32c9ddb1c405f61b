/** Disturbances that tests ask the sandbox's DNS server for. */
import { TYPE } from './constants.ts';
import { parseNameText } from './name.ts';
import type { SandboxRecordType } from './presentation.ts';

const MAX_FAULTS = 100;
const MAX_DELAY_MS = 60_000;

export interface DnsFault {
  /** `drop` never answers; `truncate` forces TCP; `delay` answers late. */
  readonly effect: 'servfail' | 'refused' | 'nxdomain' | 'drop' | 'truncate' | 'delay';
  /** Only questions for this name; any name when absent. */
  readonly name?: string;
  readonly type?: SandboxRecordType;
  readonly delayMs?: number;
  /** After so many questions the fault is over; never when absent. */
  readonly times?: number;
}

export interface DnsFaults {
  /** Adds a fault; the oldest that fits a question is applied. False when it is malformed or there are too many. */
  add(fault: DnsFault): boolean;
  /** Takes the fault for a question, which counts as one of its times. */
  take(name: string, type: number): DnsFault | undefined;
  clear(): void;
}

/** Makes an empty list of faults. */
export function createDnsFaults(): DnsFaults {
  let active: { readonly fault: DnsFault; readonly name: string | undefined; left: number }[] = [];
  return {
    add(fault) {
      const name = fault.name === undefined ? undefined : parseNameText(fault.name);
      const { delayMs = 0, times = Number.POSITIVE_INFINITY } = fault;
      const isValid = (fault.name === undefined || name !== undefined) && times > 0 && delayMs >= 0;
      if (!isValid || delayMs > MAX_DELAY_MS || active.length >= MAX_FAULTS) return false;
      active.push({ fault, name, left: times });
      return true;
    },
    take(name, type) {
      const entry = active.find(
        ({ fault, name: only }) =>
          (only === undefined || only === name) && (fault.type === undefined || TYPE[fault.type] === type),
      );
      if (!entry) return undefined;
      entry.left -= 1;
      if (entry.left <= 0) active = active.filter((each) => each !== entry);
      return entry.fault;
    },
    clear() {
      active = [];
    },
  };
}
