import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';

export interface HttpsAnswer {
  readonly status: number;
  readonly body: string;
}

interface HttpsOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One HTTPS request that trusts the given root only. */
export async function https(url: string, caFile: string, options: HttpsOptions = {}): Promise<HttpsAnswer> {
  const { method = 'GET', headers = {}, body } = options;
  const agent = new Agent({ ca: readFileSync(caFile) });
  const sent = request(url, { method, headers, agent });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  const result = { status: answer.statusCode, body: await text(answer) };
  agent.destroy();
  return result;
}

interface Client {
  readonly accountNumber: string;
  readonly clientSecret: string;
}

/** Access token by client credentials. */
export async function accessToken(publicUrl: string, caFile: string, client: Client | null): Promise<string> {
  if (client === null) throw new Error('no client credentials');
  const answer = await https(`${publicUrl}/oauth/token`, caFile, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.accountNumber,
      client_secret: client.clientSecret,
    }).toString(),
  });
  const { access_token: token } = JSON.parse(answer.body) as { access_token?: string };
  if (token === undefined) throw new Error(`no token: ${answer.body}`);
  return token;
}
