import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../src/metrics/metrics.ts';

test('requests are counted by face, method, route and status', async () => {
  const metrics = createMetrics();
  metrics.request('v2', 'GET', '/a/:id', 200, 0.002);
  metrics.request('v2', 'GET', '/a/:id', 200, 0.004);
  metrics.request('v2', 'GET', '/a/:id', 404, 0.001);
  const { body } = await metrics.render();
  const counted =
    /certwright_http_request_duration_seconds_count\{face="v2",method="GET",route="\/a\/:id",status="(\d+)"\} (\d+)/g;
  assert.deepEqual(
    [...body.matchAll(counted)].map(([, status, count]) => [status, count]),
    [
      ['200', '2'],
      ['404', '1'],
    ],
  );
});

test('a gauge whose reader fails is left out, the others stay', async () => {
  const metrics = createMetrics();
  metrics.gauge('certwright_a', 'A.', 'kind', async () => [['x', 3]]);
  metrics.gauge('certwright_b', 'B.', 'kind', async () => {
    throw new Error('the database is away');
  });
  const { body } = await metrics.render();
  assert.match(body, /^certwright_a\{kind="x"\} 3$/m);
  assert.doesNotMatch(body, /^certwright_b\{/m);
});
