import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError, EXIT } from '../src/exit-codes.ts';
import { details, errorText, table } from '../src/output.ts';

test('tables align their columns and end lines without blanks', () => {
  const rows = [
    { name: 'a', count: 1 },
    { name: 'longer', count: null },
  ];
  const text = table(rows, [
    { title: 'NAME', value: (row) => row.name },
    { title: 'COUNT', value: (row) => row.count },
  ]);
  assert.equal(text, 'NAME    COUNT\na       1\nlonger  -\n');
});

test('control characters of a value do not reach the terminal', () => {
  const text = details([['Name', 'a\u001b[2Jb\u202ec\nd']]);
  assert.equal(text, 'Name  a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\n');
});

test('errors are one sentence and one hint, or one JSON document', () => {
  const error = new CliError(EXIT.notFound, 'Order 7 not found', { code: 'notFound', hint: 'List orders.' });
  assert.equal(errorText(error, false), 'certwright: Order 7 not found\n  List orders.\n');
  assert.deepEqual(JSON.parse(errorText(error, true)), {
    error: { code: 'notFound', message: 'Order 7 not found', hint: 'List orders.' },
  });
});
