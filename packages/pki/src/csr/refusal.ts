import { DerError } from '../der/read.ts';
import type { CsrError, CsrErrorCode } from './certification-request.ts';

/** Raised inside the CSR parser only, which turns it into its error value. */
export class CsrRefusal extends Error {
  readonly problem: CsrError;
  constructor(code: CsrErrorCode, detail: string) {
    super(detail);
    this.problem = { code, detail };
  }
}

export function refuse(code: CsrErrorCode, detail: string): never {
  throw new CsrRefusal(code, detail);
}

/** Runs `read` and names `code` as the reason when it meets bad DER. */
export function within<T>(code: CsrErrorCode, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) refuse(code, error.message);
    throw error;
  }
}
