/** A platform in this process for tests: random ports, an own folder, silence. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { loadConfig, type Platform, type PlatformOverrides, startPlatform } from '../../src/index.ts';

/** Starts a platform in the folder; `flags` are configuration keys. */
export function startTestPlatform(
  data: string,
  flags: Readonly<Record<string, string>> = {},
  overrides: PlatformOverrides = {},
): Promise<Platform> {
  const loaded = loadConfig({
    env: {},
    flags: { data, listen: '127.0.0.1:0', httpListen: '127.0.0.1:0', 'log.level': 'silent', ...flags },
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return startPlatform(loaded.value, overrides);
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Calls the main listener and trusts the platform's root only. */
export async function call(
  platform: Pick<Platform, 'rootCertificate' | 'urls'>,
  path: string,
  { method = 'GET', headers = {}, body }: CallOptions = {},
): Promise<Answer> {
  const agent = new Agent({ ca: platform.rootCertificate });
  const sent = httpsRequest(new URL(path, platform.urls.publicUrl), { method, headers, agent });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  const result = { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
  agent.destroy();
  return result;
}

/** Calls the management socket. */
export async function callSocket(
  platform: Pick<Platform, 'manageSocket'>,
  path: string,
  { method = 'GET', headers = {}, body }: CallOptions = {},
): Promise<Answer> {
  assert.ok(platform.manageSocket !== null);
  const sent = httpRequest({ socketPath: platform.manageSocket, path, method, headers, agent: false });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}
