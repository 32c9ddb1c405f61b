import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { createTransport } from 'nodemailer';
import { parseMail } from '../../src/sandbox/internet/mail/mime.ts';
import { createSandboxMailServer, type SandboxMailServer } from '../../src/sandbox/internet/mail/server.ts';
import { runProgram, skipWithout } from '../support/programs.ts';

async function start(t: TestContext): Promise<SandboxMailServer> {
  const server = await createSandboxMailServer();
  t.after(() => server.close());
  return server;
}

/** Speaks SMTP line by line and returns the last reply. */
async function smtp(server: SandboxMailServer, lines: readonly string[]): Promise<string> {
  const socket = connect(server.port, server.address);
  let [reply] = await once(socket, 'data');
  for (const line of lines) {
    socket.write(line);
    [reply] = await once(socket, 'data');
  }
  socket.destroy();
  return String(reply);
}

describe('sandbox mail server', () => {
  it('keeps what nodemailer sends, decoded, attachments left out', async (t) => {
    const server = await start(t);
    const transport = createTransport({ host: server.address, port: server.port, ignoreTLS: true });
    const text = `Ünïcode = 100 %\n${'a long line with a link https://ca.test/approve?token='.repeat(5)}\ntrailing space `;
    await transport.sendMail({
      from: 'Änne <a@ca.test>',
      to: ['one@shop.test', '"Two, Jr." <two@shop.test>'],
      cc: 'three@shop.test',
      subject: `Ein Betreff, der länger ist als eine Zeile: ${'ä'.repeat(60)}`,
      text,
      html: '<p>Ünïcode</p>',
      attachments: [{ filename: 'x.txt', content: 'attached text' }],
    });
    const [mail] = server.messages();
    assert.ok(mail);
    assert.deepEqual(mail.recipients, ['one@shop.test', 'two@shop.test', 'three@shop.test']);
    assert.equal(mail.sender, 'a@ca.test');
    assert.equal(mail.from, 'Änne <a@ca.test>');
    assert.equal(mail.to, 'one@shop.test, "Two, Jr." <two@shop.test>');
    assert.equal(mail.subject, `Ein Betreff, der länger ist als eine Zeile: ${'ä'.repeat(60)}`);
    assert.equal(mail.text.replaceAll('\r\n', '\n').trimEnd(), text.trimEnd());
    assert.equal(mail.html?.trimEnd(), '<p>Ünïcode</p>');
    assert.ok(Math.abs(mail.receivedAt - Date.now()) < 60_000);
    for (const encoding of ['base64', 'quoted-printable'] as const) {
      await transport.sendMail({ from: 'a@ca.test', to: 'enc@shop.test', subject: 's', text, textEncoding: encoding });
      const received = server.messages('enc@shop.test').at(-1);
      assert.equal(received?.text.replaceAll('\r\n', '\n').trimEnd(), text.trimEnd(), encoding);
    }
    transport.close();
  });

  it('takes mail from curl', { skip: skipWithout('curl') }, async (t) => {
    const server = await start(t);
    const message = 'From: a@b.test\r\nTo: c@d.test\r\nSubject: by curl\r\n\r\n..dotted\r\n';
    const { exitCode } = await runProgram(
      'curl',
      ['-s', `smtp://127.0.0.1:${server.port}`, '--mail-from', 'a@b.test', '--mail-rcpt', 'c@d.test', '-T', '-'],
      message,
    );
    assert.equal(exitCode, 0);
    assert.deepEqual(
      server.messages('c@D.test').map(({ subject, text }) => [subject, text]),
      [['by curl', '..dotted\r\n']],
    );
    assert.deepEqual(server.messages('x@d.test'), []);
  });

  it('wakes who waits, and only for the right address', async (t) => {
    const server = await start(t);
    const transport = createTransport({ host: server.address, port: server.port, ignoreTLS: true });
    const send = (to: string) => transport.sendMail({ from: 'a@ca.test', to, subject: to, text: 'x' });
    const waiting = server.waitFor('b@shop.test', 10_000);
    await send('a@shop.test');
    await send('b@shop.test');
    assert.equal((await waiting)?.subject, 'b@shop.test');
    assert.equal((await server.waitFor('A@SHOP.test', 0))?.subject, 'a@shop.test');
    assert.equal(await server.waitFor('c@shop.test', 10), undefined);
    server.reset();
    assert.deepEqual(server.messages(), []);
    const unserved = server.waitFor('d@shop.test', 60_000);
    await server.close();
    assert.equal(await unserved, undefined);
    transport.close();
  });

  it('refuses what is too large and too many recipients, and keeps serving', async (t) => {
    const server = await start(t);
    const envelope = ['EHLO x\r\n', 'MAIL FROM:<a@b.test>\r\n', 'RCPT TO:<c@d.test>\r\n', 'DATA\r\n'];
    assert.match(await smtp(server, [...envelope, `${'x'.repeat(998)}\r\n`.repeat(1_200).concat('.\r\n')]), /^552/);
    assert.match(await smtp(server, ['EHLO x\r\n', `MAIL FROM:<a@b.test> SIZE=${2 << 20}\r\n`]), /^552/);
    const many = Array.from({ length: 101 }, (_, i) => `RCPT TO:<r${i}@d.test>\r\n`);
    assert.match(await smtp(server, ['EHLO x\r\n', 'MAIL FROM:<a@b.test>\r\n', ...many]), /^452/);
    assert.match(await smtp(server, [...envelope, 'Subject: ok\r\n\r\nx\r\n.\r\n']), /^250/);
    assert.deepEqual(
      server.messages().map(({ subject }) => subject),
      ['ok'],
    );
  });

  it('keeps the last thousand', async (t) => {
    const server = await start(t);
    const transport = createTransport({ host: server.address, port: server.port, ignoreTLS: true, pool: true });
    const batch = Array.from({ length: 1_003 }, () =>
      transport.sendMail({ from: 'a@ca.test', to: 'b@shop.test', subject: 's', text: 'x' }),
    );
    await Promise.all(batch);
    transport.close();
    assert.equal(server.messages().length, 1_000);
    assert.equal(server.messages()[0]?.id, 4);
  });
});

describe('parseMail', () => {
  const parse = (...lines: string[]) => parseMail(Buffer.from(lines.join('\r\n'), 'latin1'));

  it('unfolds headers and decodes encoded words of both kinds', () => {
    const mail = parse(
      'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_an?=',
      ' =?UTF-8?b?IGFsbGU=?= und',
      '\tmehr =?iso-8859-1?q?=e4?= =?unknown-charset?q?=e4?=',
      'FROM: A <a@b.test>',
      'To: x@y.test',
      'Subject: a second one is ignored',
      '',
      'body',
    );
    assert.equal(mail.subject, 'Grüße an alle und\tmehr ää');
    assert.deepEqual([mail.from, mail.to, mail.text], ['A <a@b.test>', 'x@y.test', 'body']);
  });

  it('finds text and HTML in nested multiparts', () => {
    const mail = parse(
      'Content-Type: multipart/mixed; boundary="outer; x"',
      '',
      'preamble --outer; x',
      '--outer; x',
      'Content-Type: multipart/alternative; boundary=inner',
      '',
      '--inner',
      'Content-Type: text/plain; charset="iso-8859-1"',
      'Content-Transfer-Encoding: Quoted-Printable',
      '',
      'soft=',
      ' break =E4=3D trailing   ',
      '--inner',
      'Content-Type: TEXT/HTML; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      'PHA+w6Q8',
      'L3A+',
      '--inner--',
      '--outer; x',
      'Content-Type: text/plain',
      'Content-Disposition: attachment; filename=a.txt',
      '',
      'not this',
      '--outer; x--',
      'epilogue',
    );
    assert.equal(mail.text, 'soft break ä= trailing');
    assert.equal(mail.html, '<p>ä</p>');
  });

  it('copes with what is no proper mail', () => {
    assert.deepEqual(parse(''), { from: '', to: '', subject: '', text: '' });
    assert.equal(parse('no header at all').text, '');
    assert.equal(parse('', 'only body').text, 'only body');
    assert.equal(parse('Content-Type: multipart/mixed; boundary=x', '', '--x', '', 'open end').text, '');
    assert.equal(parse('Content-Type: application/pdf', '', 'x').text, '');
    const nested = Array.from(
      { length: 50 },
      (_, i) => `Content-Type: multipart/mixed; boundary=b${i}b\r\n\r\n--b${i}b\r\n`,
    ).join('');
    assert.equal(parse(`${nested}\r\ntext`).text, '');
  });

  it('takes no longer for what regular expressions fear', { timeout: 10_000 }, () => {
    const filler = 600_000;
    parse('Content-Transfer-Encoding: quoted-printable', '', `${' '.repeat(filler)}x`);
    parse(`Content-Type: text/plain${';a="\\'.repeat(filler / 5)}`, '', 'x');
    parse(`Subject: ${'=?a?q?'.repeat(filler / 6)}`, `To: ${'?= '.repeat(filler / 3)}`, '', 'x');
    parse('Content-Type: multipart/mixed; boundary=x', '', '--x\r\n'.repeat(filler / 5));
  });

  it('never throws', () => {
    const line = fc.constantFrom(
      'Content-Type: multipart/mixed; boundary=x',
      'Content-Type: text/html; charset=utf-16',
      'Content-Transfer-Encoding: base64',
      'Content-Transfer-Encoding: quoted-printable',
      '--x',
      '--x--',
      '',
      '=?utf-8?b?!!?=',
      '=ZZ=',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string())), (lines) => {
        parseMail(Buffer.from(lines.join('\r\n')));
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseMail(Buffer.from(bytes))));
  });
});
