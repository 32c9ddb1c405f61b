import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createMailer, MailError, type MailerOptions } from '../../src/adapters/mail/mailer.ts';
import { createSandboxMailServer } from '../../src/sandbox/internet/mail/server.ts';

const MAIL = { to: 'admin@shop.test', subject: 'Approve', text: 'Follow the link' };

function mailerTo(port: number, options: Partial<MailerOptions> = {}) {
  return createMailer({ host: '127.0.0.1', port, tls: 'none', from: 'Certwright <ca@ca.test>', ...options });
}

/** An SMTP server that says what a test tells it, one line for each line it hears. */
async function scriptedServer(t: TestContext, greeting: string, answers: Record<string, string>): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.write(greeting);
    socket.on('data', (data) => {
      const verb = data.toString('latin1').slice(0, 4).toUpperCase();
      socket.write(answers[verb] ?? '');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  assert.ok(bound && typeof bound === 'object');
  return bound.port;
}

describe('mailer', () => {
  it('delivers text, HTML and names outside ASCII', async (t) => {
    const server = await createSandboxMailServer();
    t.after(() => server.close());
    const text = `Grüße: https://ca.test/approve/${'a1b2'.repeat(40)}\n.\nlast line`;
    await mailerTo(server.port).send({ ...MAIL, subject: 'Bestätigung für «shop.test»', text, html: '<p>Grüße</p>' });
    const mail = await server.waitFor('Admin@Shop.test', 1_000);
    assert.ok(mail);
    assert.equal(mail.sender, 'ca@ca.test');
    assert.deepEqual(mail.recipients, ['admin@shop.test']);
    assert.equal(mail.from, 'Certwright <ca@ca.test>');
    assert.equal(mail.to, 'admin@shop.test');
    assert.equal(mail.subject, 'Bestätigung für «shop.test»');
    assert.equal(mail.text.replaceAll('\r\n', '\n').trimEnd(), text);
    assert.equal(mail.html?.trimEnd(), '<p>Grüße</p>');
  });

  it('refuses recipients that are more or less than one plain address', async (t) => {
    const server = await createSandboxMailServer();
    t.after(() => server.close());
    const mailer = mailerTo(server.port);
    for (const to of [
      '',
      'admin',
      '@shop.test',
      'a@b.test, c@d.test',
      'a@b.test\r\nBcc: c@d.test',
      'A <a@b.test>',
      'a b@c.test',
      'a@b..test',
      '"a,b"@c.test',
      `${'x'.repeat(65)}@c.test`,
    ]) {
      await assert.rejects(mailer.send({ ...MAIL, to }), { name: 'MailError', code: 'mail.addressRefused' }, to);
    }
    assert.deepEqual(server.messages(), []);
  });

  it('keeps line breaks out of the headers', async (t) => {
    const server = await createSandboxMailServer();
    t.after(() => server.close());
    await mailerTo(server.port).send({ ...MAIL, subject: 'a\r\nBcc: evil@evil.test\r\n\r\nbody' });
    const [mail] = server.messages();
    assert.deepEqual(mail?.recipients, ['admin@shop.test']);
    assert.equal(mail?.text.trim(), MAIL.text);
  });

  it('tells a final refusal from a temporary one', async (t) => {
    const greet = { EHLO: '250 x\r\n', MAIL: '250 ok\r\n', QUIT: '221 bye\r\n' };
    const gone = await scriptedServer(t, '220 x\r\n', { ...greet, RCPT: '550 no such user secret\r\n' });
    await assert.rejects(mailerTo(gone).send(MAIL), (error) => {
      assert.ok(error instanceof MailError);
      assert.equal(error.code, 'mail.rejected');
      assert.equal(error.isPermanent, true);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    const busy = await scriptedServer(t, '220 x\r\n', { ...greet, RCPT: '450 later\r\n' });
    await assert.rejects(mailerTo(busy).send(MAIL), { code: 'mail.rejected', isPermanent: false });
  });

  it('gives up on a silent server, a dripping one and a closed port', async (t) => {
    const silent = await scriptedServer(t, '', {});
    await assert.rejects(mailerTo(silent, { timeoutMs: 100 }).send(MAIL), { code: 'mail.unavailable' });
    const dripping = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      const timer = setInterval(() => socket.write('220-wait\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    dripping.listen(0, '127.0.0.1');
    await once(dripping, 'listening');
    const bound = dripping.address();
    assert.ok(bound && typeof bound === 'object');
    await assert.rejects(mailerTo(bound.port, { timeoutMs: 150 }).send(MAIL), { code: 'mail.unavailable' });
    dripping.close();
    await once(dripping, 'close');
    await assert.rejects(mailerTo(bound.port).send(MAIL), { code: 'mail.unavailable', isPermanent: false });
  });

  it('does not send in the clear when STARTTLS is demanded', async (t) => {
    const server = await createSandboxMailServer();
    t.after(() => server.close());
    await assert.rejects(mailerTo(server.port, { tls: 'startTls' }).send(MAIL), MailError);
    assert.deepEqual(server.messages(), []);
  });
});
