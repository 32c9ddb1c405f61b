/** `/docs`: the operations of every face on one plain page, from their OpenAPI documents. */
import type { FastifyInstance } from 'fastify';

export interface DocumentedFace {
  readonly title: string;
  /** Where the OpenAPI document is served. */
  readonly url: string;
}

interface OperationRow {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function operationsOf(document: unknown): OperationRow[] {
  if (!isObject(document) || !isObject(document.paths)) return [];
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = isObject(item) ? item[method] : undefined;
      if (!isObject(operation)) return [];
      const [tag] = Array.isArray(operation.tags) ? operation.tags : [];
      return { method: method.toUpperCase(), path, summary: textOf(operation.summary), tag: textOf(tag) };
    }),
  );
}

function section(face: DocumentedFace, document: unknown): string {
  const info = isObject(document) && isObject(document.info) ? document.info : {};
  const rows = operationsOf(document)
    .map(
      ({ method, path, summary, tag }) =>
        `<tr><td>${method}</td><td><code>${escapeHtml(path)}</code></td><td>${escapeHtml(summary)}</td><td>${escapeHtml(tag)}</td></tr>`,
    )
    .join('\n');
  return `<section>
<h2>${escapeHtml(face.title)}</h2>
<p>${escapeHtml(textOf(info.description))}</p>
<p><a href="${escapeHtml(face.url)}">OpenAPI document</a></p>
<table><thead><tr><th>Method</th><th>Path</th><th>What it does</th><th>Group</th></tr></thead><tbody>
${rows}
</tbody></table>
</section>`;
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}' +
  'table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}' +
  'code{font-size:.9em}@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}td,th{border-color:#444}a{color:#8ab4f8}}';

/** Registers the page; documents are fetched from the application itself when the page is first asked for. */
export function registerDocs(app: FastifyInstance, faces: readonly DocumentedFace[]): void {
  let page: string | undefined;
  // a visitor of the host, and one who knows where the vendor's service has its page
  for (const path of ['/', '/swagger-ui/index.html']) {
    app.get(path, { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs', 302));
  }
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => {
    if (page === undefined) {
      const sections: string[] = [];
      for (const face of faces) {
        const answer = await app.inject({ method: 'GET', url: face.url });
        sections.push(section(face, answer.statusCode === 200 ? answer.json<unknown>() : undefined));
      }
      page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Certwright APIs</title><meta name="viewport" content="width=device-width">
<style>${STYLE}</style></head><body><h1>Certwright APIs</h1>
${sections.join('\n')}
</body></html>
`;
    }
    return reply
      .header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
      .header('X-Content-Type-Options', 'nosniff')
      .type('text/html; charset=utf-8')
      .send(page);
  });
}
