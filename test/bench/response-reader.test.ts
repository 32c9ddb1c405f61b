import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MalformedAnswerError, ResponseReader } from '../../bench/load/response-reader.ts';

const plain = 'HTTP/1.1 201 Created\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';

test('an answer that arrives in pieces of any size is read whole', () => {
  const message = fc.constantFrom(
    { text: plain, status: 201, keepAlive: true },
    { text: chunked, status: 200, keepAlive: false },
  );
  fc.assert(
    fc.property(message, fc.integer({ min: 1, max: 200 }), ({ text, status, keepAlive }, size) => {
      const bytes = Buffer.from(text, 'latin1');
      const reader = new ResponseReader();
      for (let at = 0; at < bytes.length; at += size) {
        const answer = reader.push(bytes.subarray(at, at + size));
        if (at + size < bytes.length) {
          assert.equal(answer, undefined);
          assert.ok(reader.partial);
        } else {
          assert.deepEqual({ ...answer, body: answer?.body.toString() }, { status, body: 'hello', keepAlive });
          assert.ok(!reader.partial);
        }
      }
    }),
  );
});

test('answers without a body end with their head', () => {
  const reader = new ResponseReader();
  assert.equal(reader.push(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'))?.status, 204);
  assert.equal(reader.push(Buffer.from('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'))?.status, 304);
});

test('what is no HTTP/1.1 answer is refused', () => {
  for (const text of [
    'SSH-2.0-x\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  ]) {
    assert.throws(() => new ResponseReader().push(Buffer.from(text)), MalformedAnswerError);
  }
});
