import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSandboxClock } from '../../src/sandbox/clock.ts';
import { addDuration } from '../../src/sandbox/duration.ts';

const at = (text: string): number => Date.parse(text);

describe('durations', () => {
  for (const [from, duration, to] of [
    ['2026-01-31T10:00:00Z', 'P1M', '2026-02-28T10:00:00Z'],
    ['2027-12-31T00:00:00Z', 'P2M', '2028-02-29T00:00:00Z'],
    ['2028-02-29T12:00:00Z', 'P1Y', '2029-02-28T12:00:00Z'],
    ['2026-03-31T00:00:00Z', '-P1M', '2026-02-28T00:00:00Z'],
    ['2026-01-01T00:00:00Z', 'P60D', '2026-03-02T00:00:00Z'],
    ['2026-01-01T00:00:00Z', 'P1W', '2026-01-08T00:00:00Z'],
    ['2026-01-01T00:00:00Z', 'P1Y2M3DT4H5M6S', '2027-03-04T04:05:06Z'],
    ['2026-01-01T00:00:00Z', '-PT90S', '2025-12-31T23:58:30Z'],
    ['2026-01-01T00:00:00Z', 'P0D', '2026-01-01T00:00:00Z'],
  ] as const) {
    it(`${from} + ${duration}`, () => {
      assert.equal(new Date(addDuration(at(from), duration) ?? 0).toISOString(), new Date(to).toISOString());
    });
  }

  for (const text of [
    '',
    'P',
    'PT',
    'P1',
    '60D',
    'P1H',
    'PT1D',
    'P1DT',
    'P1.5D',
    'p1d',
    'P-1D',
    'P1D ',
    `P${'9'.repeat(20)}D`,
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(addDuration(0, text), undefined);
    });
  }

  it('undoes days and times by the minus sign', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.nat(9_999), fc.nat(86_399), (instant, days, seconds) => {
        const there = addDuration(instant, `P${days}DT${seconds}S`) ?? Number.NaN;
        assert.equal(addDuration(there, `-P${days}DT${seconds}S`), instant);
      }),
    );
  });
});

describe('sandbox clock', () => {
  const wall = { time: at('2026-06-01T00:00:00Z'), now: () => wall.time };

  it('runs with the wall clock at its distance', () => {
    const clock = createSandboxClock(wall);
    assert.equal(clock.now(), wall.time);
    assert.ok(clock.advance('P60D').ok);
    assert.equal(clock.now(), wall.time + 60 * 86_400_000);
    wall.time += 5_000;
    assert.equal(clock.now(), wall.time + 60 * 86_400_000);
    assert.ok(clock.set(at('2030-01-01T00:00:00Z')).ok);
    assert.equal(clock.now(), at('2030-01-01T00:00:00Z'));
    clock.reset();
    assert.equal(clock.offsetMs, 0);
  });

  it('refuses what is no duration and what no certificate could say, and stays where it is', () => {
    const clock = createSandboxClock(wall);
    for (const outcome of [clock.advance('60 days'), clock.advance('P300Y'), clock.advance('-P50Y')]) {
      assert.ok(!outcome.ok && outcome.error.field === 'advance');
    }
    for (const instant of [Number.NaN, at('1999-12-31T23:59:59Z'), at('2200-01-01T00:00:00Z')]) {
      const outcome = clock.set(instant);
      assert.ok(!outcome.ok && outcome.error.field === 'set');
    }
    assert.equal(clock.offsetMs, 0);
  });
});
