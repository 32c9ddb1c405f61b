/** The operator's commands against a server of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createCsr, generateKey, nameOf } from '@certwright/pki';
import { accessToken, https } from './support/https.ts';
import { run, runJson, type Serving, serve } from './support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwright-cli-'));
const data = join(folder, 'data');
let server: Serving;

before(async () => {
  server = await serve(data);
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

const here = ['--data', data];

test('an account, its credential, and the end of the credential', async () => {
  const created = await runJson<{ account: { number: string }; groupNumber: string }>([
    ...['account', 'create', '--name', 'Example', '--admin-email', 'admin@example.com'],
    ...here,
  ]);
  const { number } = created.account;
  assert.match(number, /^\d{10}$/);

  const credential = await runJson<{ credential: { id: number }; secret: string; accountNumber: string }>([
    ...['credential', 'create', '--account', number, '--type', 'access-key', '--label', 'ci'],
    ...here,
  ]);
  assert.equal(credential.accountNumber, number);
  assert.ok(credential.secret.length > 20);

  const { id } = credential.credential;
  const listed = await run(['credential', 'list', '--account', number, ...here]);
  assert.equal(listed.code, 0);
  assert.match(listed.out, new RegExp(`^${id} +access-key +active .* ci$`, 'm'));
  assert.ok(!listed.out.includes(credential.secret));

  assert.deepEqual(await run(['credential', 'revoke', String(id), ...here]), {
    code: 0,
    out: `Credential ${id} is revoked.\n`,
    err: '',
  });
  const accounts = await run(['account', 'list', ...here]);
  assert.match(accounts.out, new RegExp(`^${number} +Example +active`, 'm'));
});

test('the CAs and the listener’s own certificate are there', async () => {
  const cas = await run(['ca', 'list', ...here]);
  assert.match(cas.out, / root +active +ec-p256 /);
  assert.match(cas.out, / issuing +active +ec-p256 /);
  const found = await runJson<{ items: { serial: string; state: string; label: string }[] }>([
    ...['cert', 'list', '--domain', 'localhost'],
    ...here,
  ]);
  assert.equal(found.items.length, 1);
  assert.equal(found.items[0]?.state, 'valid');
  const serial = found.items[0]?.serial ?? '';
  const again = await runJson<{ items: { serial: string }[] }>([
    ...['cert', 'list', '--serial', serial.toUpperCase()],
    ...here,
  ]);
  assert.deepEqual(
    again.items.map((row) => row.serial),
    [serial],
  );
});

const openssl = spawnSync('openssl', ['version']).status === 0;
const needsOpenssl = openssl || process.env.CI === 'true' ? {} : { skip: 'openssl is not installed' };

test('an existing CA is taken in with its encrypted key, and another’s key is refused', needsOpenssl, async () => {
  const [cert, key, other] = ['ca.pem', 'ca.key', 'other.key'].map((name) => join(folder, name));
  const passphrase = join(folder, 'passphrase');
  writeFileSync(passphrase, 'correct horse\n');
  const command = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-days', '3650'];
  const extensions = [
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  ];
  const made = spawnSync('openssl', [
    ...[...command, ...extensions, '-subj', '/C=GB/O=Example/CN=Example Root'],
    ...['-passout', `file:${passphrase}`, '-keyout', key ?? '', '-out', cert ?? ''],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  spawnSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', other ?? '']);

  const named = ['ca', 'import', '--slug', 'example-1', '--name', 'Example', '--cert', cert ?? '', ...here];
  const locked = await run([...named, '--key', key ?? '']);
  assert.equal(locked.code, 1);
  assert.match(locked.err, /passphrase/);
  const wrong = await run([...named, '--key', other ?? '']);
  assert.equal(wrong.code, 1, wrong.out);
  const imported = await run([...named, '--key', key ?? '', '--passphrase-file', passphrase]);
  assert.equal(imported.code, 0, imported.err);
  assert.match((await run(['ca', 'list', ...here])).out, /^example-1 +root +active +ec-p256 /m);
});

test('an organization is created and vetted; the token is shown once', async () => {
  const account = server.ready.firstAccount?.accountNumber ?? '';
  const organization = await runJson<{ number: string; validation: string }>([
    ...['organization', 'create', '--account', account, '--name', 'Example Ltd', '--country', 'GB'],
    ...['--street', '1 Example Street', '--locality', 'London', '--state', 'England', '--postal-code', 'EC1A 1AA'],
    ...here,
  ]);
  assert.equal(organization.validation, 'pending');
  const vetted = await run([
    'organization',
    'vet',
    organization.number,
    '--for',
    'ov,ev',
    '--pre-vetting-token',
    ...here,
  ]);
  assert.equal(vetted.code, 0, vetted.err);
  assert.match(vetted.out, /Validation +validated\nVetted for +ov, ev\n/);
  assert.match(vetted.out, /^Pre-vetting token: \S{16,}$/m);
});

test('orders can be listed and shown', async () => {
  const { items } = await runJson<{ items: { number: string; phase: string; family: string }[] }>([
    'order',
    'list',
    ...here,
  ]);
  const [order] = items;
  assert.equal(order?.family, 'private-pki');
  assert.equal(order?.phase, 'issued');
  const shown = await run(['order', 'show', order?.number ?? '', ...here]);
  assert.match(shown.out, /^Phase +issued$/m);
  const refused = await run(['order', 'approve', order?.number ?? '', ...here]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^certwright: /);
});

test('an order that waits for approval is approved or rejected', async () => {
  const { publicUrl, firstAccount, caCertificate } = server.ready;
  const token = await accessToken(publicUrl, caCertificate, firstAccount);
  const place = async (hostname: string): Promise<string> => {
    const { privateKey } = await generateKey('ec-p256');
    const answer = await https(`${publicUrl}/api/certinext/v2/private-pki-certificates`, caCertificate, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        'X-Product-Code': '990',
        'Idempotency-Key': hostname,
      },
      body: JSON.stringify({
        variant: 'intranet-ssl',
        hostname,
        requestor: { name: 'Requestor', email: 'requestor@example.com', phone: '+442079460000' },
        csr: await createCsr({ subject: nameOf(['CN', hostname]), key: privateKey }),
        attested: true,
      }),
    });
    assert.equal(answer.status, 201, answer.body);
    return String(JSON.parse(answer.body).orderId);
  };
  const [good, bad] = [await place('good.corp.internal'), await place('bad.corp.internal')];
  const waiting = await runJson<{ items: { number: string }[] }>(['order', 'list', '--phase', 'approval', ...here]);
  assert.deepEqual(waiting.items.map(({ number }) => number).toSorted(), [good, bad].toSorted());

  const approved = await run(['order', 'approve', good, ...here]);
  assert.deepEqual(approved, { code: 0, out: `Order ${good} is approved; it is now in phase issued.\n`, err: '' });
  assert.equal((await run(['order', 'reject', bad, '--reason', 'unknown host', ...here])).code, 0);
  const shown = await run(['order', 'show', bad, ...here]);
  assert.match(shown.out, /^Phase +rejected$/m);
  assert.match(shown.out, /^Reason +unknown host$/m);
  assert.equal((await run(['order', 'approve', bad, ...here])).code, 1);
});

test('exit codes tell what kind of failure it was', async () => {
  const table: readonly (readonly [code: number, args: readonly string[], message: RegExp])[] = [
    [4, ['order', 'show', '9999999999', ...here], /not found/],
    [4, ['organization', 'vet', '0000000', '--for', 'ov', ...here], /not found/],
    [4, ['credential', 'list', '--account', '9999999999', ...here], /not found/],
    [3, ['account', 'list', '--data', join(folder, 'nowhere')], /no server answers.*\n.*--data/],
    [2, ['account', 'create', ...here], /required option/],
    [2, ['nonsense'], /unknown command/],
    [2, ['account', 'list', '--limit', '0', ...here], /from 1 to/],
    [2, ['organization', 'vet', '1', '--for', 'xv', ...here], /ov, ev, smime/],
    [2, ['config', 'check', '--set', 'nope=1'], /nope is not a known key/],
    [5, ['account', 'list', '--url', server.ready.publicUrl, '--token', 'x'.repeat(40), ...here], /token/i],
    [
      3,
      ['account', 'list', '--url', server.ready.publicUrl, '--token', 'x'.repeat(40), '--data', folder],
      /not trusted.*\n.*--ca-file/,
    ],
  ];
  for (const [code, args, message] of table) {
    const finished = await run(args);
    assert.equal(finished.code, code, `${args.join(' ')}: ${finished.err}`);
    assert.match(finished.err, message);
    assert.equal(finished.out, '');
  }
});

test('an administrator’s token reaches the own account over HTTPS, not the installation', async () => {
  const { publicUrl, firstAccount, caCertificate } = server.ready;
  assert.ok(firstAccount !== null);
  const token = await accessToken(publicUrl, caCertificate, firstAccount);

  const remote = ['--url', publicUrl, '--ca-file', caCertificate];
  const own = await run(['credential', 'list', '--account', firstAccount.accountNumber, ...remote], {
    CERTWRIGHT_TOKEN: token,
  });
  assert.equal(own.code, 0, own.err);
  const all = await run(['account', 'list', ...remote], { CERTWRIGHT_TOKEN: token });
  assert.equal(all.code, 5);
  assert.match(all.err, /management socket/);
});

test('the audit trail is intact, also while the server runs', async () => {
  const report = await runJson<{ intact: boolean; entries: number }>(['audit', 'verify', ...here]);
  assert.ok(report.intact);
  assert.ok(report.entries > 10);
});

test('backup while running, restore elsewhere, serve: the certificates are still there', async () => {
  const file = join(folder, 'backup.db');
  const backup = await run(['backup', file, ...here]);
  assert.equal(backup.code, 0, backup.err);
  assert.match(backup.out, /does not hold the platform key/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((await run(['backup', file, ...here])).code, 1);

  const target = join(folder, 'restored');
  const restored = await run(['restore', file, '--data', target]);
  assert.equal(restored.code, 0, restored.err);
  assert.match(restored.out, /audit trail of \d+ entries is intact/);
  assert.match(restored.out, /Put the platform key in its place/);
  const twice = await run(['restore', file, '--data', target]);
  assert.equal(twice.code, 1);
  assert.match(twice.err, /already holds a database.*\n.*--force/);

  await assert.rejects(serve(target), /platform\.key is missing/);
  copyFileSync(join(data, 'platform.key'), join(target, 'platform.key'));
  const second = await serve(target);
  try {
    assert.equal(second.ready.firstAccount, null);
    const query = ['cert', 'list', '--domain', 'localhost'];
    const before = await runJson<{ items: unknown[] }>([...query, '--data', data]);
    const now = await runJson<{ items: unknown[] }>([...query, '--data', target]);
    assert.deepEqual(now.items, before.items);
    const locked = await run(['restore', file, '--data', target, '--force']);
    assert.equal(locked.code, 1);
    assert.match(locked.err, /server|process/);
  } finally {
    await second.stop();
  }
});

test('a damaged backup is not restored', async () => {
  const file = join(folder, 'damaged.db');
  writeFileSync(file, 'not a database at all');
  const target = join(folder, 'from-damaged');
  const finished = await run(['restore', file, '--data', target]);
  assert.equal(finished.code, 1);
  assert.ok(!existsSync(join(target, 'certwright.db')));
});

test('version and completion need no server', async () => {
  assert.match((await run(['version'])).out, /^certwright \d+\.\d+\.\d+ /);
  for (const shell of ['bash', 'zsh']) {
    const { code, out } = await run(['completion', shell]);
    assert.equal(code, 0);
    assert.match(out, /credential create/);
  }
});

test('completion offers the words that may follow', async () => {
  const script = join(folder, 'completion.bash');
  writeFileSync(script, (await run(['completion', 'bash'])).out);
  const complete = (...words: readonly string[]): string => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const command = `source ${script}; COMP_WORDS=(certwright ${list}); COMP_CWORD=${words.length}; _certwright; echo "\${COMPREPLY[*]}"`;
    return String(spawnSync('bash', ['-c', command]).stdout).trim();
  };
  assert.match(complete('or'), /^order organization$/);
  assert.match(complete('order', ''), /^list show approve reject /);
  assert.equal(complete('--json', 'order', 'list', '--pha'), '--phase');
});
