const HEAD_END = Buffer.from('\r\n\r\n');
const CRLF = Buffer.from('\r\n');
const MAX_HEAD = 64 * 1024;

export interface HttpAnswer {
  readonly status: number;
  /** Valid until the next chunk is pushed. */
  readonly body: Buffer;
  readonly keepAlive: boolean;
}

/** The other side does not speak HTTP/1.1 as far as this reader knows it. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError';
}

interface Head {
  readonly status: number;
  readonly bodyStart: number;
  /** Null: chunked. */
  readonly length: number | null;
  readonly keepAlive: boolean;
}

function readHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) {
    if (bytes.length > MAX_HEAD) throw new MalformedAnswerError('header section without an end');
    return undefined;
  }
  const head = bytes.toString('latin1', 0, end + 2);
  if (!head.startsWith('HTTP/1.1 ')) throw new MalformedAnswerError('no HTTP/1.1 status line');
  const status = Number(head.slice(9, 12));
  const bodyStart = end + HEAD_END.length;
  const keepAlive = !/\r\nconnection: *close/i.test(head);
  if (status === 204 || status === 304) return { status, bodyStart, length: 0, keepAlive };
  const length = /\r\ncontent-length: *(\d{1,10})\r/i.exec(head)?.[1];
  if (length !== undefined) return { status, bodyStart, length: Number(length), keepAlive };
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, bodyStart, length: null, keepAlive };
  throw new MalformedAnswerError('answer with neither Content-Length nor chunks');
}

/** Body of a chunked message from `start` on; undefined while incomplete. Trailers are not supported. */
function readChunks(bytes: Buffer, start: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf(CRLF, at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(size >= 0)) throw new MalformedAnswerError('chunk without a size');
    const dataStart = lineEnd + CRLF.length;
    const next = dataStart + size + CRLF.length;
    if (bytes.length < next) return undefined;
    if (size === 0) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    chunks.push(bytes.subarray(dataStart, dataStart + size));
    at = next;
  }
}

/**
 * Reads the answers of one connection without pipelining. It knows just enough of HTTP/1.1 for servers under load and
 * costs little, so that the generator does not take the processor time that the server is measured on.
 */
export class ResponseReader {
  #pending: Buffer | undefined;

  /**
   * Takes the next octets; the answer, once it is complete. The octets are copied when they must be kept.
   * @throws MalformedAnswerError
   */
  push(chunk: Buffer): HttpAnswer | undefined {
    const bytes = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    const head = readHead(bytes);
    if (head !== undefined) {
      const { status, bodyStart, length, keepAlive } = head;
      let body: Buffer | undefined;
      if (length === null) body = readChunks(bytes, bodyStart);
      else if (bytes.length >= bodyStart + length) body = bytes.subarray(bodyStart, bodyStart + length);
      if (body !== undefined) {
        this.#pending = undefined;
        return { status, body, keepAlive };
      }
    }
    this.#pending = bytes === chunk ? Buffer.from(chunk) : bytes;
    return undefined;
  }

  /** Whether part of an answer is waiting for its rest. */
  get partial(): boolean {
    return this.#pending !== undefined;
  }
}
