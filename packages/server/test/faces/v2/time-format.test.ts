import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { legacyTime, rfc3339 } from '../../../src/faces/v2/time-format.ts';

it('writes an instant as the platform does, cut to the second', () => {
  const instants = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(9999, 11, 31, 23, 59, 59) });
  fc.assert(
    fc.property(instants, (instant) => {
      const iso = new Date(instant).toISOString();
      assert.equal(rfc3339(instant), `${iso.slice(0, 19)}Z`);
      assert.equal(legacyTime(instant), `${iso.slice(0, 10)} ${iso.slice(11, 19)}`);
    }),
  );
});
