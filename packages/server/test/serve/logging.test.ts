import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreLog, createLogger } from '../../src/logging/logger.ts';

function capture() {
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } });
  return {
    logger,
    text: () => lines.join(''),
    last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>,
  };
}

test('lines are JSON with time, level and event', () => {
  const { logger, last } = capture();
  coreLog(logger).info('order.created', { orderId: 7 });
  const line = last();
  assert.equal(line.event, 'order.created');
  assert.equal(line.level, 'info');
  assert.equal(line.orderId, 7);
  assert.ok(Number.isFinite(Date.parse(String(line.time))));
});

test('members that carry secrets are blanked, at the top and one below', () => {
  const { logger, text } = capture();
  logger.info(
    { password: 'hunter2', headers: { authorization: 'Bearer hunter2' }, body: { clientSecret: 'hunter2' } },
    'x',
  );
  assert.ok(!text().includes('hunter2'));
});

test('an error shows what it is and its causes, not what it carries', () => {
  const { logger, text, last } = capture();
  const cause = Object.assign(new Error('connection lost'), { code: 'ECONNRESET', parameters: ['hunter2'] });
  coreLog(logger).error('jobs.unavailable', {}, new Error('query failed', { cause }));
  const { error } = last();
  assert.ok(typeof error === 'object' && error !== null && 'cause' in error && 'message' in error);
  assert.equal(error.message, 'query failed');
  assert.ok(typeof error.cause === 'object' && error.cause !== null && 'code' in error.cause);
  assert.equal(error.cause.code, 'ECONNRESET');
  assert.ok(!text().includes('hunter2'));
});
