import { isIP } from 'node:net';
import { fail, ok } from '@certwright/pki';
import { RECORD_TYPES } from '../internet/dns/presentation.ts';
import type { SandboxMail } from '../internet/mail/server.ts';
import { type ControlDependencies, type Operation, operation } from './operation.ts';
import { type Refusal, wrongInput } from './problem.ts';
import * as wire from './schemas.ts';

/** The sandbox's own internet: names, files, mails. */
export function internetOperations({ dns, http, mail, hosts, runDueWork }: ControlDependencies): readonly Operation[] {
  const otherResolver: Refusal = {
    kind: 'status',
    status: 409,
    code: 'dns.otherResolver',
    detail: 'This sandbox was started with --resolver and has no DNS of its own: publish at that server',
  };
  return [
    operation({
      id: 'putDnsRecords',
      method: 'PUT',
      path: '/dns/records',
      summary: 'Publishes a record set in place of the one there was.',
      tag: 'DNS',
      body: wire.DnsRecords,
      answer: wire.PublishedRecords,
      run({ body: { name, type, values } }) {
        if (dns === undefined) return fail(otherResolver);
        const outcome = dns.put(name, type, values);
        if (outcome.ok) return ok({ name, type, values: dns.lookup(name, type) });
        const field = outcome.error.code === 'dns.nameMalformed' ? 'name' : 'values';
        return fail(wrongInput(field, `refused: ${outcome.error.detail}`));
      },
    }),
    operation({
      id: 'deleteDnsRecords',
      method: 'DELETE',
      path: '/dns/records',
      summary: 'Removes a record set, or all records of a name.',
      tag: 'DNS',
      body: wire.DnsRecordSet,
      answer: wire.DeletedRecords,
      run({ body: { name, type } }) {
        if (dns === undefined) return fail(otherResolver);
        const present = (type === undefined ? RECORD_TYPES : [type]).filter((one) => dns.lookup(name, one).length > 0);
        const outcome = dns.delete(name, type);
        return outcome.ok ? ok({ name, types: [...present] }) : fail(wrongInput('name', outcome.error.detail));
      },
    }),
    operation({
      id: 'putHttpFile',
      method: 'PUT',
      path: '/http/files',
      summary: 'Publishes a file on the web host that every name without an entry of its own leads to.',
      tag: 'HTTP',
      body: wire.HttpFile,
      answer: wire.PublishedFile,
      run({ body: { host, path, body, status, headers } }) {
        const outcome = http.put(host, path, body, {
          ...(status === undefined ? {} : { status }),
          ...(headers === undefined ? {} : { headers }),
        });
        if (outcome.ok) return ok({ host, path, url: `http://${host}${path}`, bytes: Buffer.byteLength(body) });
        const fields = { 'http.hostMalformed': 'host', 'http.pathMalformed': 'path', 'http.fileMalformed': 'headers' };
        const { code, detail } = outcome.error;
        return fail(wrongInput(code === 'http.full' ? 'body' : fields[code], `refused: ${detail}`));
      },
    }),
    operation({
      id: 'putHost',
      method: 'PUT',
      path: '/hosts',
      summary: 'Sets where the validator connects to for a name; without an entry that is the sandbox’s own web host.',
      tag: 'HTTP',
      body: wire.Host,
      answer: wire.HostEntry,
      run({ body: { name, address, httpPort = 80, tlsPort = 443 } }) {
        if (isIP(address) === 0) return fail(wrongInput('address', 'must be an IPv4 or IPv6 address'));
        const isStored = hosts.put(name, { address, httpPort, tlsPort });
        return isStored
          ? ok({ name, address, httpPort, tlsPort })
          : fail(wrongInput('name', 'does not fit: too many hosts'));
      },
    }),
    operation({
      id: 'listMail',
      method: 'GET',
      path: '/mail',
      summary: 'Lists the mails that the platform sent; mails that are due are sent first.',
      tag: 'Mail',
      query: wire.MailQuery,
      answer: wire.Mails,
      async run({ query: { to, wait = 0 } }) {
        await runDueWork();
        if (to !== undefined && wait > 0) await mail.waitFor(to, wait * 1_000);
        return ok({ messages: mail.messages(to).map(showMail) });
      },
    }),
  ];
}

function showMail(mail: SandboxMail) {
  return {
    id: mail.id,
    from: mail.from,
    to: mail.to,
    recipients: [...mail.recipients],
    subject: mail.subject,
    text: mail.text,
    ...(mail.html === undefined ? {} : { html: mail.html }),
    links: mail.text.match(/\bhttps?:\/\/[^\s<>"]+/g) ?? [],
    receivedAt: new Date(mail.receivedAt).toISOString(),
  };
}
